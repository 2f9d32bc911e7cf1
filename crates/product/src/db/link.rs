//! Link to the database: injected latency, limits on waits, and what is known of its state.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use sea_orm::{DbBackend, DbErr};

use super::{
    failure::is_read_only,
    file::File,
    server::Server,
    waiting::{self, ToItsEnd},
    writes::Writes,
};
use crate::config::DatabaseConfig;
use observe::{cost::Counter, request_cost};

/// Time that we wait longer than PostgreSQL's own limit for a statement. While that works, the
/// connection stays good.
const GRACE: Duration = Duration::from_secs(1);

/// Link to the database. Cheap to clone; clones share what they know.
#[derive(Clone)]
pub struct Link {
    /// Injected latency of each round trip.
    latency: Duration,
    /// Longest wait for a connection.
    acquire: Duration,
    /// Longest wait for a statement on it.
    statement: Option<Duration>,
    /// True if a connection is held, so that there is no wait for one.
    has_connection: bool,
    /// Server with its circuit breaker; None for a file.
    server: Option<Arc<Server>>,
    /// File with its check; None for a server.
    file: Option<Arc<File>>,
    writes: Writes,
}

/// Address of a server.
pub struct Address<'a> {
    pub host: &'a str,
    pub port: u16,
    pub database: Option<&'a str>,
}

impl Link {
    pub fn new(config: &DatabaseConfig, server: Option<Server>) -> Self {
        let grace = if server.is_some() { GRACE } else { Duration::ZERO };
        Self {
            latency: config.latency_db,
            acquire: config.acquire_timeout,
            statement: config.statement_timeout.0.map(|limit| limit + grace),
            has_connection: false,
            file: server.is_none().then(|| Arc::new(File::new())),
            server: server.map(Arc::new),
            writes: Writes::new(),
        }
    }

    /// The same without injected latency and limits, for steps before the first request.
    pub fn near(&self) -> Self {
        Self { latency: Duration::ZERO, statement: None, ..self.clone() }
    }

    /// The same for a holder of a connection.
    pub fn of_connection(&self) -> Self {
        Self { has_connection: true, ..self.clone() }
    }

    pub fn backend(&self) -> DbBackend {
        if self.server.is_some() { DbBackend::Postgres } else { DbBackend::Sqlite }
    }

    /// Address of the server; None for a file.
    pub fn address(&self) -> Option<Address<'_>> {
        let Server { options, .. } = self.server.as_deref()?;
        let (host, port) = (options.get_host(), options.get_port());
        Some(Address { host, port, database: options.get_database() })
    }

    /// Waits for the injected latency, which is database time of the request.
    pub async fn inject_latency(&self) {
        if !self.latency.is_zero() {
            let started = Instant::now();
            tokio::time::sleep(self.latency).await;
            request_cost::add_time(Counter::DbMs, started.elapsed());
        }
    }

    /// Longest time of a statement, with the wait for a connection if it has none.
    fn limit(&self) -> Option<Duration> {
        let acquire = if self.has_connection { Duration::ZERO } else { self.acquire };
        self.statement.map(|statement| acquire + statement)
    }

    /// Result of the statement, or an error when its time is over or the circuit breaker is open.
    /// Then it is unknown what became of the statement.
    pub async fn bounded<T>(
        &self,
        statement: impl Future<Output = Result<T, DbErr>>,
    ) -> Result<T, DbErr> {
        let limit = self.limit();
        let result = match &self.server {
            Some(server) => waiting::answer(server, limit, statement).await,
            None => self.unless_file_gone(waiting::limited(limit, statement)).await,
        };
        if let Err(error) = &result {
            self.writes.failed(error);
        }
        result
    }

    /// The same for a BEGIN. PostgreSQL's driver loses track of one that is dropped before its
    /// answer: the transaction would be open, its connection back in the pool, and writes of others
    /// on it not committed. So it runs to its end in the background, and is rolled back.
    pub async fn bounded_begin<T: Send + 'static>(
        &self,
        begin: BoxFuture<'static, Result<T, DbErr>>,
    ) -> Result<T, DbErr> {
        let Some(server) = &self.server else { return self.bounded(begin).await };
        let within = self.acquire + self.statement.unwrap_or_default() + GRACE;
        let mut begin = ToItsEnd::new(begin, within, server.clone());
        self.bounded(begin.answer()).await
    }

    async fn unless_file_gone<T>(
        &self,
        statement: impl Future<Output = Result<T, DbErr>>,
    ) -> Result<T, DbErr> {
        let Some(file) = &self.file else { return statement.await };
        file.is_there()?;
        let result = statement.await;
        if result.as_ref().is_err_and(is_read_only) {
            file.distrust_connections();
        }
        result
    }

    /// Confirms a commit, right after it: one into a file that is no longer there is worth nothing.
    pub fn is_committed(&self) -> Result<(), DbErr> {
        if let Some(file) = &self.file {
            file.is_there_now()?;
        }
        self.writes.committed();
        Ok(())
    }

    /// SQLite file; None for a server.
    pub fn file(&self) -> Option<&Arc<File>> {
        self.file.as_ref()
    }

    pub fn writes(&self) -> &Writes {
        &self.writes
    }

    /// Starts a probe, after a connection failed as if the server were down.
    pub fn probe(&self) {
        if let Some(server) = &self.server {
            server.probe();
        }
    }

    /// True if a connection of this age may serve another request.
    pub fn trusts(&self, age: Duration) -> bool {
        self.server.as_ref().is_none_or(|server| !server.distrusts(age))
    }
}
