//! One multiplexed connection, which the whole process shares, with a circuit breaker.
//!
//! A call without an answer opens the circuit: from then on calls fail at once, and only the
//! heartbeat tries to connect. A call that Redis *refuses* (it is full, the key is of another type)
//! fails alone. But a Redis that refuses invalidations is down too; the heartbeat sends one, and so
//! notices it on every instance. Invalidations that failed are pending: they are replayed before
//! the link is used again. It is not *read* for another `SETTLE`, in which the other instances,
//! whose heartbeats are as quick, replay theirs.

use std::{
    collections::HashSet,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::{Duration, Instant},
};

use metrics::gauge;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionInfo, ErrorKind, FromRedisValue, RedisError,
    ScriptInvocation, aio::MultiplexedConnection,
};

use super::heartbeat;
use crate::cache::{Down, names::COPIES};
use crate::metrics as names;
use observe::{cost::Counter, request_cost, throttle::Throttle};

/// Time without an answer after which Redis is down: some hundred times what an answer takes.
const ANSWERS_WITHIN: Duration = Duration::from_millis(500);

/// Wait before reads: longer than the heartbeat and answer that bring other instances back.
pub(super) const SETTLE: Duration = Duration::from_secs(1);

/// Most pending keys. Beyond it all copies are deleted instead.
const MOST_OWED: usize = 10_000;

/// Commands that wait for the connection's writer: enough that requests never wait for room.
const QUEUE: usize = 4_096;

/// Throttle of the warning: a refusal comes with each request, as long as its reason lasts.
static REFUSED: Throttle = Throttle::every(Duration::from_secs(1));

/// Purpose of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Reads, and trusts what it finds.
    Read,
    /// Brings Redis up to date.
    Write,
}

#[derive(Clone)]
pub struct Link(pub(super) Arc<Shared>);

pub(super) struct Shared {
    client: Client,
    state: RwLock<State>,
}

struct State {
    phase: Phase,
    connection: Option<MultiplexedConnection>,
    /// Number of that connection, which identifies late failures of an older one.
    number: u64,
    pending: HashSet<String>,
    owes_all: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Down,
    Settling(Instant),
    Up,
}

impl Link {
    /// Connects if Redis is up; else the heartbeat will. Errors if the URL is invalid.
    pub async fn open(url: &str) -> Result<Self, RedisError> {
        let state = State {
            phase: Phase::Down,
            connection: None,
            number: 0,
            pending: HashSet::new(),
            owes_all: false,
        };
        let link = Self(Arc::new(Shared { client: Client::open(url)?, state: state.into() }));
        match link.connect().await {
            Ok(connection) => {
                link.came_back(connection);
                // There was no outage, so no instance has pending invalidations.
                link.settled();
            }
            Err(error) => {
                go_to(&mut link.state_mut(), Phase::Down);
                tracing::warn!(%error, "Redis is not there; the database is asked instead");
            }
        }
        tokio::spawn(heartbeat::run(Arc::downgrade(&link.0)));
        Ok(link)
    }

    /// Address of Redis.
    pub(super) fn server(&self) -> &ConnectionInfo {
        self.0.client.get_connection_info()
    }

    pub async fn query<T: FromRedisValue>(&self, for_: Use, command: Cmd) -> Result<T, Down> {
        let (number, mut connection) = self.connection(for_)?;
        request_cost::add(Counter::RedisCommands, 1);
        let started = Instant::now();
        let result = command.query_async(&mut connection).await;
        result.map_err(|error| self.failed(number, started, &error))
    }

    pub async fn run<T: FromRedisValue>(
        &self,
        for_: Use,
        script: &ScriptInvocation<'_>,
    ) -> Result<T, Down> {
        let (number, mut connection) = self.connection(for_)?;
        request_cost::add(Counter::RedisCommands, 1);
        let started = Instant::now();
        let result = script.invoke_async(&mut connection).await;
        result.map_err(|error| self.failed(number, started, &error))
    }

    /// Checks that invalidations work now. If not, the link goes down.
    pub(super) async fn beat(&self) {
        let Ok((number, mut connection)) = self.connection(Use::Write) else { return };
        let started = Instant::now();
        if let Err(error) = heartbeat::check_health(&mut connection).await {
            self.lost(number, started, &error);
        }
    }

    fn connection(&self, for_: Use) -> Result<(u64, MultiplexedConnection), Down> {
        let state = self.state();
        let is_usable = match state.phase {
            Phase::Down => false,
            Phase::Settling(_) => for_ == Use::Write,
            Phase::Up => true,
        };
        match &state.connection {
            Some(connection) if is_usable => Ok((state.number, connection.clone())),
            _ => Err(Down),
        }
    }

    fn failed(&self, number: u64, started: Instant, error: &RedisError) -> Down {
        if !is_refusal(error) {
            self.lost(number, started, error);
        } else if REFUSED.allows() {
            tracing::warn!(%error, "Redis refuses a call; the database is asked instead");
        }
        Down
    }

    fn lost(&self, number: u64, started: Instant, error: &RedisError) {
        // Twice the time means that this process was held up, not Redis.
        let is_late = error.is_timeout() && started.elapsed() > 2 * ANSWERS_WITHIN;
        let mut state = self.state_mut();
        if state.number == number && !is_late {
            if state.phase == Phase::Up {
                tracing::warn!(%error, "Redis can't be used; the database is asked instead");
            }
            go_to(&mut state, Phase::Down);
        }
    }

    pub(super) async fn connect(&self) -> Result<MultiplexedConnection, RedisError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(ANSWERS_WITHIN))
            .set_response_timeout(Some(ANSWERS_WITHIN))
            .set_pipeline_buffer_size(QUEUE);
        let client = &self.0.client;
        let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
        // Redis accepts connections even while it refuses commands, as a replica or at its start.
        heartbeat::check_health(&mut connection).await?;
        Ok(connection)
    }

    pub(super) fn phase(&self) -> Phase {
        self.state().phase
    }

    pub(super) fn came_back(&self, connection: MultiplexedConnection) {
        let mut state = self.state_mut();
        // More keys may be pending by now: then the next heartbeat comes here again.
        if state.pending.is_empty() && !state.owes_all {
            state.number += 1;
            state.connection = Some(connection);
            go_to(&mut state, Phase::Settling(Instant::now()));
        }
    }

    pub(super) fn settled(&self) {
        let mut state = self.state_mut();
        if matches!(state.phase, Phase::Settling(_)) {
            go_to(&mut state, Phase::Up);
            tracing::info!("Redis is in use");
        }
    }

    /// Marks keys as pending: Redis must not keep them. It is down until they are deleted.
    pub(super) fn add_pending(&self, keys: impl IntoIterator<Item = String>) {
        let mut state = self.state_mut();
        state.pending.extend(keys);
        if state.pending.len() > MOST_OWED {
            state.pending.retain(|key| !COPIES.iter().any(|prefix| key.starts_with(prefix)));
            state.owes_all = true;
        }
        go_to(&mut state, Phase::Down);
    }

    pub(super) fn take_owed(&self) -> (HashSet<String>, bool) {
        let mut state = self.state_mut();
        (std::mem::take(&mut state.pending), std::mem::take(&mut state.owes_all))
    }

    pub(super) fn owe_again(&self, pending: HashSet<String>, owes_all: bool) {
        self.state_mut().owes_all |= owes_all;
        self.add_pending(pending);
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.0.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.0.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// True if Redis has answered, if only with a refusal.
fn is_refusal(error: &RedisError) -> bool {
    let kind = error.kind();
    matches!(kind, ErrorKind::Server(_) | ErrorKind::Extension | ErrorKind::UnexpectedReturnType)
}

fn go_to(state: &mut State, phase: Phase) {
    state.phase = phase;
    gauge!(names::CACHE_UP).set(f64::from(u8::from(phase == Phase::Up)));
}
