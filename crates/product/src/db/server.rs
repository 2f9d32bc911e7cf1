//! PostgreSQL as seen from here: whether it answers, and since when its connections can be trusted.
//!
//! One that has ended refuses; one that is frozen, or behind a broken line, says nothing at all. So
//! silence is looked into too: nobody has had an answer for a while, and somebody waits.

use std::{
    sync::{
        Arc, Weak,
        atomic::{
            AtomicBool, AtomicU64,
            Ordering::{AcqRel, Relaxed, Release},
        },
    },
    thread,
    time::{Duration, Instant},
};

use sea_orm::sqlx::{self, Connection, PgConnection, postgres::PgConnectOptions};
use tokio::{runtime::Builder, sync::watch, time::timeout};

/// How long a server nearby gets to show that it is there.
pub const ANSWERS_WITHIN: Duration = Duration::from_secs(1);

/// How long nobody has an answer before the server is looked for. Shorter than the patience of
/// `/health/ready`, so that its own question is enough.
pub const SILENCE: Duration = Duration::from_millis(500);

/// How often a server that has gone is looked for. Requests fail for that much longer than it is away.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What PostgreSQL says while it starts or stops.
const CANNOT_CONNECT_NOW: &str = "57P03";

/// Without this each request would wait for as long as it may wait for the pool, which takes a server
/// that refuses for one that starts.
pub struct Server {
    pub options: PgConnectOptions,
    /// How long it gets to show that it is there.
    answers_within: Duration,
    is_looked_for: AtomicBool,
    is_gone: watch::Sender<bool>,
    /// Moments below are milliseconds since this one.
    start: Instant,
    answered: AtomicU64,
    distrusted: AtomicU64,
}

impl Server {
    /// `first` is how long its first connection took: one that is far away needs that long each time.
    pub fn new(options: PgConnectOptions, first: Duration) -> Self {
        Self {
            options,
            answers_within: ANSWERS_WITHIN.max(3 * first),
            is_looked_for: AtomicBool::new(false),
            is_gone: watch::Sender::new(false),
            start: Instant::now(),
            answered: AtomicU64::new(0),
            distrusted: AtomicU64::new(0),
        }
    }

    /// Never 0, which is before everything.
    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX - 2) + 1
    }

    pub fn is_gone(&self) -> bool {
        *self.is_gone.borrow()
    }

    /// Returns when it has gone.
    pub async fn gone(&self) {
        // Fails only when the sender is dropped, which is here.
        let _ = self.is_gone.subscribe().wait_for(|is_gone| *is_gone).await;
    }

    /// It has answered somebody.
    pub fn has_answered(&self) {
        self.answered.store(self.now(), Relaxed);
    }

    /// Whether nobody had an answer for a while.
    pub fn is_silent(&self) -> bool {
        let silence = self.now().saturating_sub(self.answered.load(Relaxed));
        u128::from(silence) >= SILENCE.as_millis()
    }

    /// No connection that exists now serves another request: some wait for answers that may never come,
    /// or that come for what has been given up.
    pub fn distrust_connections(&self) {
        // An age is rounded too.
        self.distrusted.fetch_max(self.now() + 1, Release);
    }

    pub fn distrusts(&self, age: Duration) -> bool {
        let age = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
        self.now().saturating_sub(age) <= self.distrusted.load(Relaxed)
    }

    /// Something failed that looks as if the server had gone, or it is silent: look whether it has. On a
    /// thread of its own, as labs may hold all workers, and the look would be late, not the server.
    pub fn suspect(self: &Arc<Self>) {
        if self.is_looked_for.swap(true, AcqRel) {
            return;
        }
        let server = Arc::downgrade(self);
        let look = move || {
            if let Ok(runtime) = Builder::new_current_thread().enable_all().build() {
                runtime.block_on(look(&server));
            }
            if let Some(server) = server.upgrade() {
                server.is_looked_for.store(false, Release);
            }
        };
        if let Err(error) = thread::Builder::new().name("postgres-look".to_owned()).spawn(look) {
            tracing::error!(%error, "PostgreSQL can't be looked for");
            self.is_looked_for.store(false, Release);
        }
    }

    async fn answers(&self) -> bool {
        let asked = async {
            match PgConnection::connect_with(&self.options).await {
                Ok(connection) => connection.close().await.is_ok(),
                // It is there and says no, perhaps because it has no connection left: those that the pool
                // has may work. But one that starts or stops is not there yet, or no more.
                Err(sqlx::Error::Database(error)) => {
                    error.code().as_deref() != Some(CANNOT_CONNECT_NOW)
                }
                Err(_) => false,
            }
        };
        timeout(self.answers_within, asked).await.unwrap_or(false)
    }
}

/// Until it answers, or nobody needs it any more.
async fn look(server: &Weak<Server>) {
    while let Some(server) = server.upgrade() {
        if server.answers().await {
            server.has_answered();
            if server.is_gone.send_replace(false) {
                tracing::info!("PostgreSQL answers again");
            }
            return;
        }
        // Before anybody is told, and so gives a connection back.
        server.distrust_connections();
        if !server.is_gone.send_replace(true) {
            tracing::error!("PostgreSQL does not answer: requests that need it get 503");
        }
        drop(server);
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_distrusted_is_what_existed_then() {
        let mut server = Server::new(PgConnectOptions::new_without_pgpass(), Duration::ZERO);
        server.start -= Duration::from_secs(10);
        assert!(!server.distrusts(Duration::from_secs(9)));
        server.distrust_connections();
        assert!(server.distrusts(Duration::ZERO) && server.distrusts(Duration::from_secs(9)));
        server.start -= Duration::from_secs(1);
        assert!(!server.distrusts(Duration::from_millis(900)));
        assert!(server.distrusts(Duration::from_millis(1_100)));
    }

    #[test]
    fn it_is_silent_until_it_answers() {
        let mut server = Server::new(PgConnectOptions::new_without_pgpass(), Duration::ZERO);
        server.start -= Duration::from_secs(1);
        assert!(server.is_silent());
        server.has_answered();
        assert!(!server.is_silent());
        server.start -= SILENCE;
        assert!(server.is_silent());
    }
}
