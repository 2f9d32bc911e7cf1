//! The write lock of SQLite, which takes one writer at a time, with a line of writers. SQLite
//! itself lets those that wait sleep and try again, longer each time: of many the newest get
//! through, the oldest starve, and each holds a pooled connection meanwhile. Here they wait in
//! line, before they take one. Writers in other processes are still waited for in SQLite's way.
//!
//! The holder of the lock may still wait for a connection, if readers have them all. A separate
//! pool need not wait for that: it waits a moment, and then in SQLite's way.

use std::{sync::Arc, time::Duration};

use sea_orm::{ConnAcquireErr, DbBackend, DbErr};
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    time::timeout,
};

/// Wait of a separate pool for the lock: longer than a transaction takes.
const OWN_WAITS: Duration = Duration::from_secs(1);

/// The line of writers. Cheap to clone; clones wait in the same line.
#[derive(Clone)]
pub struct WriteLock {
    line: Option<Arc<Mutex<()>>>,
    /// Longest wait for the lock.
    patience: Duration,
    has_own_connections: bool,
}

/// The lock. Until it is dropped no other writer has it, except those that stopped waiting.
pub struct WriteGuard {
    _held: Option<OwnedMutexGuard<()>>,
}

impl WriteLock {
    /// Makes a line for SQLite. PostgreSQL locks rows, so nobody waits here for it.
    pub fn of(backend: DbBackend, patience: Duration) -> Self {
        let line = (backend == DbBackend::Sqlite).then(Arc::default);
        Self { line, patience, has_own_connections: false }
    }

    /// The same line, for a separate pool: holders of the lock wait for none of its connections.
    pub fn with_own_connections(&self) -> Self {
        Self { has_own_connections: true, patience: OWN_WAITS.min(self.patience), ..self.clone() }
    }

    /// Waits for all earlier writers. Errors after the longest wait.
    pub async fn next(&self) -> Result<WriteGuard, DbErr> {
        let Some(line) = &self.line else { return Ok(WriteGuard { _held: None }) };
        match timeout(self.patience, line.clone().lock_owned()).await {
            Ok(held) => Ok(WriteGuard { _held: Some(held) }),
            Err(_) if self.has_own_connections => Ok(WriteGuard { _held: None }),
            Err(_) => Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_has_own_connections_does_not_wait_for_one_that_has_the_turn_and_no_connection() {
        let write_lock = WriteLock::of(DbBackend::Sqlite, Duration::from_secs(10));
        let held = write_lock.next().await.unwrap();
        assert!(write_lock.with_own_connections().next().await.unwrap()._held.is_none());
        drop(held);
        assert!(write_lock.with_own_connections().next().await.unwrap()._held.is_some());
    }
}
