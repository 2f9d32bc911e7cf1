//! Whose turn it is to write to SQLite, which takes one writer at a time. Left to itself it lets those
//! that wait sleep and try again, longer each time: of many the newest get through, the oldest
//! starve, and each holds a pooled connection meanwhile. Here they wait in turn, before they take one.
//! Other processes that write to the same file are still waited for in SQLite's way.
//!
//! Whoever's turn it is may still wait for a connection, if readers have them all. A pool of one's own
//! doesn't have to wait for that: it waits a moment, and then in SQLite's way.

use std::{sync::Arc, time::Duration};

use sea_orm::{ConnAcquireErr, DbBackend, DbErr};
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    time::timeout,
};

/// How long who has connections of his own waits for a turn: longer than a transaction takes.
const OWN_WAITS: Duration = Duration::from_secs(1);

/// Cheap to clone; clones wait in the same line.
#[derive(Clone)]
pub struct Turns {
    line: Option<Arc<Mutex<()>>>,
    /// How long is waited for a turn.
    patience: Duration,
    has_own_connections: bool,
}

/// Until it is dropped, nobody else has one, but for those who don't wait any longer.
pub struct Turn {
    _held: Option<OwnedMutexGuard<()>>,
}

impl Turns {
    /// PostgreSQL locks rows, so nobody waits here for it.
    pub fn of(backend: DbBackend, patience: Duration) -> Self {
        let line = (backend == DbBackend::Sqlite).then(Arc::default);
        Self { line, patience, has_own_connections: false }
    }

    /// The same line, for a pool that those who hold a turn don't wait for.
    pub fn with_own_connections(&self) -> Self {
        Self { has_own_connections: true, patience: OWN_WAITS.min(self.patience), ..self.clone() }
    }

    /// Waits until those that came before have had theirs.
    pub async fn next(&self) -> Result<Turn, DbErr> {
        let Some(line) = &self.line else { return Ok(Turn { _held: None }) };
        match timeout(self.patience, line.clone().lock_owned()).await {
            Ok(held) => Ok(Turn { _held: Some(held) }),
            Err(_) if self.has_own_connections => Ok(Turn { _held: None }),
            Err(_) => Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_has_own_connections_does_not_wait_for_one_that_has_the_turn_and_no_connection() {
        let turns = Turns::of(DbBackend::Sqlite, Duration::from_secs(10));
        let held = turns.next().await.unwrap();
        assert!(turns.with_own_connections().next().await.unwrap()._held.is_none());
        drop(held);
        assert!(turns.with_own_connections().next().await.unwrap()._held.is_some());
    }
}
