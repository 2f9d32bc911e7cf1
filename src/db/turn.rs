//! Whose turn it is to write to SQLite, which takes one writer at a time. Left to itself it lets those
//! that wait sleep and try again, longer each time: of many the newest get through, the oldest
//! starve, and each holds a pooled connection meanwhile. Here they wait in turn, before they take one.
//! Other processes that write to the same file are still waited for in SQLite's way.

use std::{sync::Arc, time::Duration};

use sea_orm::{ConnAcquireErr, DbBackend, DbErr};
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    time::timeout,
};

/// Cheap to clone; clones wait in the same line.
#[derive(Clone)]
pub struct Turns(Option<Arc<Mutex<()>>>);

/// Until it is dropped, nobody else has one.
pub struct Turn {
    _held: Option<OwnedMutexGuard<()>>,
}

impl Turns {
    /// PostgreSQL locks rows, so nobody waits here for it.
    pub fn of(backend: DbBackend) -> Self {
        Self((backend == DbBackend::Sqlite).then(Arc::default))
    }

    /// Waits until those that came before have had theirs.
    pub async fn next(&self, within: Duration) -> Result<Turn, DbErr> {
        let Some(line) = &self.0 else { return Ok(Turn { _held: None }) };
        match timeout(within, line.clone().lock_owned()).await {
            Ok(held) => Ok(Turn { _held: Some(held) }),
            Err(_) => Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)),
        }
    }
}
