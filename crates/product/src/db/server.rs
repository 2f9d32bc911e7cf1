//! Circuit breaker of PostgreSQL, and the moment since which its connections can be trusted.
//!
//! A server that has ended refuses; one that is frozen, or behind a broken network, says nothing at
//! all. So silence is probed too: no statement had an answer for a while, and one waits.

use std::{
    sync::{
        Arc, Weak,
        atomic::{
            AtomicBool, AtomicU64,
            Ordering::{AcqRel, Relaxed, Release},
        },
    },
    thread,
    time::Duration,
};

use sea_orm::sqlx::{self, Connection, PgConnection, postgres::PgConnectOptions};
use tokio::{runtime::Builder, sync::watch, time::timeout};

use observe::millis::{MillisClock, whole_millis};

/// Longest wait for a probe's answer, if the server is nearby.
pub const ANSWERS_WITHIN: Duration = Duration::from_secs(1);

/// Time without any answer after which the server is probed. Shorter than the wait of
/// `/health/ready`, so that its own ping is enough.
pub const SILENCE: Duration = Duration::from_millis(500);

/// Pause between probes of a server that is down. Requests fail that much longer than it is down.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// State that PostgreSQL reports while it starts or stops.
const CANNOT_CONNECT_NOW: &str = "57P03";

/// PostgreSQL with its circuit breaker. Without it each request would wait for as long as it may
/// wait for the pool, which takes a server that refuses for one that starts.
pub struct Server {
    pub options: PgConnectOptions,
    /// Longest wait for a probe's answer.
    answers_within: Duration,
    is_looked_for: AtomicBool,
    is_gone: watch::Sender<bool>,
    clock: MillisClock,
    /// Times by `clock`.
    answered: AtomicU64,
    distrusted: AtomicU64,
}

impl Server {
    /// `first` is the time of the first connection: a distant server needs as long each time.
    pub fn new(options: PgConnectOptions, first: Duration) -> Self {
        Self {
            options,
            answers_within: ANSWERS_WITHIN.max(3 * first),
            is_looked_for: AtomicBool::new(false),
            is_gone: watch::Sender::new(false),
            clock: MillisClock::start(),
            answered: AtomicU64::new(0),
            distrusted: AtomicU64::new(0),
        }
    }

    pub fn is_gone(&self) -> bool {
        *self.is_gone.borrow()
    }

    /// Returns when the server is down.
    pub async fn gone(&self) {
        // Fails only when the sender is dropped, which is here.
        let _ = self.is_gone.subscribe().wait_for(|is_gone| *is_gone).await;
    }

    /// Records that a statement has an answer.
    pub fn has_answered(&self) {
        self.answered.store(self.clock.now(), Relaxed);
    }

    /// True if no statement had an answer for a while.
    pub fn is_silent(&self) -> bool {
        let silence = self.clock.now().saturating_sub(self.answered.load(Relaxed));
        silence >= whole_millis(SILENCE)
    }

    /// Retires all connections that exist now: some wait for answers that may never come, or that
    /// belong to statements that were given up.
    pub fn distrust_connections(&self) {
        // An age is rounded too.
        self.distrusted.fetch_max(self.clock.now() + 1, Release);
    }

    pub fn distrusts(&self, age: Duration) -> bool {
        self.clock.now().saturating_sub(whole_millis(age)) <= self.distrusted.load(Relaxed)
    }

    /// Starts a probe, after a failure as if the server were down, or after silence. Labs may hold
    /// all workers, so the probe has its own thread: else it would be late, not the server.
    pub fn probe(self: &Arc<Self>) {
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
        let probed = async {
            match PgConnection::connect_with(&self.options).await {
                Ok(connection) => connection.close().await.is_ok(),
                // It is up and refuses, perhaps because it has no connection left: those of the
                // pool may work. But one that starts or stops is not up.
                Err(sqlx::Error::Database(error)) => {
                    error.code().as_deref() != Some(CANNOT_CONNECT_NOW)
                }
                Err(_) => false,
            }
        };
        timeout(self.answers_within, probed).await.unwrap_or(false)
    }
}

/// Probes until the server answers, or nobody needs it any more.
async fn look(server: &Weak<Server>) {
    while let Some(server) = server.upgrade() {
        if server.answers().await {
            server.has_answered();
            if server.is_gone.send_replace(false) {
                tracing::info!("PostgreSQL answers again");
            }
            return;
        }
        // Before others notice it, and return their connections.
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
        server.clock.0 -= Duration::from_secs(10);
        assert!(!server.distrusts(Duration::from_secs(9)));
        server.distrust_connections();
        assert!(server.distrusts(Duration::ZERO) && server.distrusts(Duration::from_secs(9)));
        server.clock.0 -= Duration::from_secs(1);
        assert!(!server.distrusts(Duration::from_millis(900)));
        assert!(server.distrusts(Duration::from_millis(1_100)));
    }

    #[test]
    fn it_is_silent_until_it_answers() {
        let mut server = Server::new(PgConnectOptions::new_without_pgpass(), Duration::ZERO);
        server.clock.0 -= Duration::from_secs(1);
        assert!(server.is_silent());
        server.has_answered();
        assert!(!server.is_silent());
        server.clock.0 -= SILENCE;
        assert!(server.is_silent());
    }
}
