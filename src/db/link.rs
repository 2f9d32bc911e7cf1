//! What lies between us and the database: a distance, and perhaps nobody at the other end.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::AcqRel, Ordering::Release},
    },
    time::{Duration, Instant},
};

use sea_orm::{
    DbBackend, DbErr, RuntimeErr,
    sqlx::{self, Connection, PgConnection, postgres::PgConnectOptions},
};
use tokio::{runtime::Handle, sync::watch, time::timeout};

use super::failure::is_unavailable;
use crate::telemetry::budget;

/// How long a server gets to show that it is there.
const ANSWERS_WITHIN: Duration = Duration::from_secs(1);

/// How often a server that has gone is looked for. Requests fail for that much longer than it is away.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What PostgreSQL says while it starts or stops.
const CANNOT_CONNECT_NOW: &str = "57P03";

/// Cheap to clone; clones know the same.
#[derive(Clone)]
pub struct Link {
    /// Time added to each round trip.
    distance: Duration,
    /// None for a file, which is always there.
    server: Option<Arc<Server>>,
}

/// PostgreSQL, as seen from here. Without this each request would wait for as long as it may wait for
/// the pool, which takes a server that refuses for one that starts.
struct Server {
    options: PgConnectOptions,
    /// Where it is looked for, whichever runtime missed it.
    runtime: Handle,
    is_looked_for: AtomicBool,
    is_gone: watch::Sender<bool>,
}

/// Where a server is.
pub struct Address<'a> {
    pub host: &'a str,
    pub port: u16,
    pub database: Option<&'a str>,
}

impl Link {
    /// To be called on the runtime that looks for the server when it has gone.
    pub fn new(distance: Duration, options: Option<PgConnectOptions>) -> Self {
        let server = options.map(|options| {
            let (is_looked_for, is_gone) = (AtomicBool::new(false), watch::Sender::new(false));
            Arc::new(Server { options, runtime: Handle::current(), is_looked_for, is_gone })
        });
        Self { distance, server }
    }

    /// The same without the distance.
    pub fn near(&self) -> Self {
        Self { distance: Duration::ZERO, server: self.server.clone() }
    }

    pub fn backend(&self) -> DbBackend {
        if self.server.is_some() { DbBackend::Postgres } else { DbBackend::Sqlite }
    }

    /// None for a file.
    pub fn address(&self) -> Option<Address<'_>> {
        let Server { options, .. } = self.server.as_deref()?;
        let (host, port) = (options.get_host(), options.get_port());
        Some(Address { host, port, database: options.get_database() })
    }

    /// Waits as a message on its way would: awaited, and database time of the request.
    pub async fn travel(&self) {
        if !self.distance.is_zero() {
            let started = Instant::now();
            tokio::time::sleep(self.distance).await;
            budget::with(|b| b.add_db_time(started.elapsed()));
        }
    }

    /// The statement's result, or an error as soon as the server is known to have gone.
    pub async fn unless_gone<T>(
        &self,
        statement: impl Future<Output = Result<T, DbErr>>,
    ) -> Result<T, DbErr> {
        let Some(server) = &self.server else { return statement.await };
        let mut news = server.is_gone.subscribe();
        tokio::select! {
            biased;
            result = statement => {
                if result.as_ref().is_err_and(is_unavailable) {
                    self.suspect();
                }
                result
            }
            _ = news.wait_for(|is_gone| *is_gone) => {
                Err(DbErr::Conn(RuntimeErr::Internal("PostgreSQL does not answer".to_owned())))
            }
        }
    }

    /// Something failed that looks as if the server had gone: look whether it has.
    pub fn suspect(&self) {
        if let Some(server) = &self.server
            && !server.is_looked_for.swap(true, AcqRel)
        {
            server.runtime.spawn(server.clone().look());
        }
    }
}

impl Server {
    async fn look(self: Arc<Self>) {
        while !self.answers().await {
            if !self.is_gone.send_replace(true) {
                tracing::error!("PostgreSQL does not answer: requests that need it get 503");
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        if self.is_gone.send_replace(false) {
            tracing::info!("PostgreSQL answers again");
        }
        self.is_looked_for.store(false, Release);
    }

    async fn answers(&self) -> bool {
        match timeout(ANSWERS_WITHIN, PgConnection::connect_with(&self.options)).await {
            Ok(Ok(connection)) => connection.close().await.is_ok(),
            // It is there and says no, perhaps because it has no connection left: those that the pool
            // has may work. But one that starts or stops is not there yet, or no more.
            Ok(Err(sqlx::Error::Database(error))) => {
                error.code().as_deref() != Some(CANNOT_CONNECT_NOW)
            }
            _ => false,
        }
    }
}
