//! Wait for the answer to a statement: limited in time, and ended by PostgreSQL's circuit breaker.
//!
//! A statement that is given up may leave its connection in use. `Drop` decides what becomes of it.

use std::{
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use sea_orm::{DbErr, RuntimeErr};
use tokio::{
    runtime::Handle,
    time::{sleep, timeout},
};

use super::{
    failure::is_unavailable,
    server::{SILENCE, Server},
};

/// Result of the statement, or an error when its time is over.
pub async fn limited<T>(
    limit: Option<Duration>,
    statement: impl Future<Output = Result<T, DbErr>>,
) -> Result<T, DbErr> {
    let Some(limit) = limit else { return statement.await };
    timeout(limit, statement).await.unwrap_or_else(|_| Err(too_late(limit)))
}

/// The same, or an error when the server's circuit breaker is open. A silent server is probed
/// meanwhile.
pub async fn answer<T>(
    server: &Arc<Server>,
    limit: Option<Duration>,
    statement: impl Future<Output = Result<T, DbErr>>,
) -> Result<T, DbErr> {
    if server.is_gone() {
        return Err(gone());
    }
    let mut statement = pin!(statement);
    // Dropped before the statement, whose connection it may retire.
    let mut waiting = Waiting { server, since: Instant::now(), is_over: false };
    let mut look = pin!(sleep(SILENCE));
    loop {
        tokio::select! {
            biased;
            result = &mut statement => {
                waiting.is_over = true;
                if result.as_ref().is_err_and(is_unavailable) {
                    server.probe();
                } else {
                    server.has_answered();
                }
                return result;
            }
            () = server.gone() => return Err(gone()),
            () = &mut look => {
                if let Some(limit) = limit && waiting.since.elapsed() >= limit {
                    return Err(too_late(limit));
                }
                if server.is_silent() {
                    server.probe();
                }
                let next = limit.map_or(SILENCE, |l| l.saturating_sub(waiting.since.elapsed()));
                look.as_mut().reset(tokio::time::Instant::now() + next.min(SILENCE));
            }
        }
    }
}

/// A statement that waits for its answer.
struct Waiting<'a> {
    server: &'a Server,
    since: Instant,
    is_over: bool,
}

impl Drop for Waiting<'_> {
    /// Handles a statement that was given up. If no other gets answers either, its connection may
    /// be dead, and the pool would wait for it.
    fn drop(&mut self) {
        if !self.is_over && self.since.elapsed() >= SILENCE && self.server.is_silent() {
            self.server.distrust_connections();
        }
    }
}

/// A BEGIN that is not dropped before its answer, unless none comes.
pub struct ToItsEnd<T: Send + 'static> {
    begin: Option<BoxFuture<'static, Result<T, DbErr>>>,
    since: Instant,
    within: Duration,
    server: Arc<Server>,
}

impl<T: Send + 'static> ToItsEnd<T> {
    /// `within` is the longest wait for its answer after it is given up.
    pub fn new(
        begin: BoxFuture<'static, Result<T, DbErr>>,
        within: Duration,
        server: Arc<Server>,
    ) -> Self {
        Self { begin: Some(begin), since: Instant::now(), within, server }
    }

    pub async fn answer(&mut self) -> Result<T, DbErr> {
        let Some(begin) = &mut self.begin else { return Err(gone()) };
        let answer = begin.await;
        self.begin = None;
        answer
    }
}

impl<T: Send + 'static> Drop for ToItsEnd<T> {
    fn drop(&mut self) {
        let Some(mut begin) = self.begin.take() else { return };
        let (within, server) = (self.within, self.server.clone());
        if server.is_gone() || self.since.elapsed() >= SILENCE && server.is_silent() {
            // No answer may come. It can be dropped if its connection serves no other request.
            server.distrust_connections();
            return;
        }
        // Without a runtime everything ends.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                if timeout(within, &mut begin).await.is_err() {
                    server.distrust_connections();
                }
            });
        }
    }
}

fn gone() -> DbErr {
    unavailable("PostgreSQL does not answer".to_owned())
}

fn too_late(limit: Duration) -> DbErr {
    unavailable(format!("no answer within {limit:?}"))
}

fn unavailable(why: String) -> DbErr {
    DbErr::Conn(RuntimeErr::Internal(why))
}
