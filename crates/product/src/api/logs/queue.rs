//! The bounded queue between handlers and writer. An accepted request holds its room until its
//! lines are committed, so an empty queue means that all accepted lines are written.

use std::{sync::Arc, time::Instant};

use metrics::{Counter, Gauge, counter, gauge};
use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tracing::{Instrument, Span};

use super::{lines::Lines, rate::Rate, repository, writer::Writer};
use crate::metrics as names;
use crate::{config::IngestConfig, db::Db, error::Error};
use observe::{cost, request_cost, traces};

/// Average bytes that a line may have before it takes the room of two, so that waiting lines can't
/// fill the memory.
const BYTES_PER_LINE: usize = 1024;

/// Lines of a request, waiting for their commit.
pub struct Pending {
    pub lines: Lines,
    answer: oneshot::Sender<Result<(), Lost>>,
    room: Room,
    /// Span of the wait in the queue. It ends when the group is about to be written.
    queued: Span,
}

/// Room that a request takes until its lines are settled. The gauge is counted up and down, not
/// set: two requests that set it could do so in the wrong order.
struct Room(OwnedSemaphorePermit, Gauge);

impl Room {
    fn taken(permit: OwnedSemaphorePermit, depth: Gauge) -> Self {
        depth.increment(permit.num_permits() as f64);
        Self(permit, depth)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.1.decrement(self.0.num_permits() as f64);
    }
}

/// Reason why lines were not committed. Every request of the group gets it.
#[derive(Clone)]
pub enum Lost {
    Unavailable(Arc<str>),
    Failed(Arc<str>),
}

impl Pending {
    /// Ends the wait in the queue: the group is about to be written.
    pub fn begin(&mut self) {
        self.queued = Span::none();
    }

    /// Answers the request and frees its room. A client that disconnected gets nothing.
    pub fn settle(self, result: Result<(), Lost>) {
        let Self { answer, room, .. } = self;
        drop(room);
        let _ = answer.send(result);
    }
}

/// Handle of the queue, which handlers hold.
pub struct LogQueue {
    room: Arc<Semaphore>,
    capacity: u32,
    sender: mpsc::UnboundedSender<Pending>,
    rate: Arc<Rate>,
    writer_db: Db,
    durability: String,
    depth: Gauge,
    refused: Counter,
}

impl LogQueue {
    /// Starts the writer on the current runtime, with a connection of its own, because group
    /// commits must not wait for a connection that requests hold. Errors if it can't connect.
    pub async fn start(db: &Db, config: &IngestConfig) -> Result<Self, DbErr> {
        // On PostgreSQL one more than it uses: a dead connection can occupy its place for minutes.
        let connections = if db.get_database_backend() == DbBackend::Postgres { 2 } else { 1 };
        let writer_db = db.another(connections).await?;
        let durability = repository::durability(&writer_db).await?;
        let rate = Arc::new(Rate::new());
        // The semaphore bounds the queue; the channel itself needs no second bound.
        let (sender, receiver) = mpsc::unbounded_channel();
        tokio::spawn(Writer::new(writer_db.clone(), config, rate.clone()).run(receiver));
        gauge!(names::INGEST_CAPACITY).set(config.queue);
        Ok(Self {
            room: Arc::new(Semaphore::new(config.queue as usize)),
            capacity: config.queue,
            sender,
            rate,
            writer_db,
            durability,
            depth: gauge!(names::INGEST_QUEUE),
            refused: counter!(names::INGEST_REFUSED),
        })
    }

    /// Returns when the lines are on disk. The wait counts as the request's database time, and the
    /// commit that it shares with others as one of its own.
    pub async fn commit(&self, lines: Lines) -> Result<(), Error> {
        let started = Instant::now();
        let room = lines.json.len().div_ceil(BYTES_PER_LINE).max(lines.count as usize);
        // Else lines that are larger than the whole queue would never get in.
        let room = u32::try_from(room).unwrap_or(u32::MAX).min(self.capacity);
        let Ok(room) = self.room.clone().try_acquire_many_owned(room) else {
            self.refused.increment(1);
            return Err(Error::Overloaded("more lines wait to be written than there is room for"));
        };
        let room = Room::taken(room, self.depth.clone());
        let (answer, committed) = oneshot::channel();
        let span =
            tracing::info_span!("log lines commit", chokepoint.lines = i64::from(lines.count));
        let queued = span.in_scope(|| traces::waiting("log queue wait"));
        // The writer panicked with these lines in hand. They may be stored, but that is unknown.
        let gone = || Error::Unavailable {
            part: "writer of log lines",
            cause: "it has failed; its own entry says why".to_owned(),
        };
        self.sender.send(Pending { lines, answer, room, queued }).map_err(|_| gone())?;
        let result = committed.instrument(span).await.map_err(|_| gone())?;
        request_cost::add_time(cost::Counter::DbMs, started.elapsed());
        if result.is_ok() {
            request_cost::add(cost::Counter::Commits, 1);
        }
        result.map_err(|lost| match lost {
            Lost::Unavailable(why) => {
                Error::Unavailable { part: "database", cause: why.to_string() }
            }
            Lost::Failed(why) => Error::internal(why),
        })
    }

    /// Room that is taken, in lines.
    pub fn depth(&self) -> u32 {
        let free = u32::try_from(self.room.available_permits()).unwrap_or(u32::MAX);
        self.capacity.saturating_sub(free)
    }

    pub fn capacity(&self) -> u32 {
        self.capacity
    }

    pub fn lines_per_second(&self) -> f64 {
        self.rate.per_second()
    }

    /// Durability of a commit, as the writer's connection reported it.
    pub fn durability(&self) -> &str {
        &self.durability
    }

    /// Waits until everything accepted is committed. Nothing more is accepted from then on.
    pub async fn close(&self) -> Result<(), DbErr> {
        if let Ok(all) = self.room.acquire_many(self.capacity).await {
            all.forget();
        }
        self.writer_db.clone().close().await
    }
}
