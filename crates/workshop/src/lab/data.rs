//! Data of a lab's own: its tables, and the functions that fill and reset them.

use std::{error::Error, fmt};

use futures_util::future::BoxFuture;
use product::{api::state::SharedState, db::Transaction};
use sea_orm::{ConnectionTrait, DbBackend, DbErr};

use crate::upstream::Faults;

/// Number of the lock that PostgreSQL gives to one instance at a time while it makes a lab's tables.
/// Any number works that nobody else locks in the same database.
const TABLES_LOCK: i64 = 0x006c_6162_7321;

/// Reason that data could not be made. The answer to a request says it.
pub type DataError = Box<dyn Error + Send + Sync>;

/// Work on a lab's data, run on the app's runtime and on no request's record.
pub type Step = fn(SharedState) -> BoxFuture<'static, Result<(), DataError>>;

/// Change of a lab's own rows, within the transaction in which the seeded rows change.
pub type Change = for<'t> fn(&'t Transaction) -> BoxFuture<'t, Result<(), DbErr>>;

/// Data of a lab's own. They are made at the first request to any of its routes, and never for a lab
/// that nobody opens.
#[derive(Clone, Copy)]
pub struct Data {
    /// Tables, made as a whole or not at all, before `set_up`.
    pub schema: Schema,
    /// Fills the tables, and starts what the lab needs. It must be safe to repeat: it runs once for
    /// each start of the server on the same database, and again after a failure.
    pub set_up: Option<Step>,
    /// Puts the data back into the state after `set_up`.
    pub reset: Option<Step>,
    /// Faults of the upstream, begun for each variant after `set_up` and after each reset: from
    /// there on all of them meet the same.
    pub faults: Option<Faults>,
    /// Changes the rows that the answer comes from, alike for every variant and at random, so that an
    /// answer that was made before is a wrong one. The seeded rows change anyway: a lab that answers
    /// with those needs none.
    pub change: Option<Change>,
}

/// schema.sql: statements that are safe to repeat, as `CREATE TABLE IF NOT EXISTS`, or a `DROP TABLE
/// IF EXISTS` before each `CREATE TABLE`.
#[derive(Clone, Copy)]
pub enum Schema {
    None,
    /// One text that both databases understand.
    Both(&'static str),
    Each {
        sqlite: &'static str,
        postgres: &'static str,
    },
}

/// Failed part of a lab's data, as the beginning of a sentence about it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part {
    Needs,
    Schema,
    SetUp,
    Reset,
}

impl Data {
    /// A lab without data of its own.
    pub const NONE: Self =
        Self { schema: Schema::None, set_up: None, reset: None, faults: None, change: None };

    pub(super) fn is_none(&self) -> bool {
        let Self { schema, set_up, reset, faults, change: _ } = self;
        let is_without_steps = set_up.is_none() && reset.is_none();
        is_without_steps && faults.is_none() && matches!(schema, Schema::None)
    }

    pub(super) async fn make(&self, state: SharedState) -> Result<(), (Part, DataError)> {
        let is_postgres = state.db.get_database_backend() == DbBackend::Postgres;
        if let Some(sql) = self.schema.of(is_postgres) {
            let made = make_tables(&state, sql, is_postgres).await;
            made.map_err(|error| (Part::Schema, error))?;
        }
        match self.set_up {
            Some(set_up) => set_up(state).await.map_err(|error| (Part::SetUp, error)),
            None => Ok(()),
        }
    }
}

impl Schema {
    fn of(self, is_postgres: bool) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Both(sql) => Some(sql),
            Self::Each { sqlite, postgres } => Some(if is_postgres { postgres } else { sqlite }),
        }
    }
}

async fn make_tables(state: &SharedState, sql: &str, is_postgres: bool) -> Result<(), DataError> {
    let txn: Transaction = state.db.begin().await?;
    if is_postgres {
        // On SQLite, BEGIN IMMEDIATE has locked the file already. On PostgreSQL two instances that
        // make the same table at the same time fail, even with IF NOT EXISTS.
        let lock = format!("SELECT pg_advisory_xact_lock({TABLES_LOCK})");
        txn.execute_unprepared(&lock).await?;
    }
    txn.execute_unprepared(sql).await?;
    Ok(txn.commit().await?)
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Needs => "it ",
            Self::Schema => "its schema.sql failed: ",
            Self::SetUp => "its set-up failed: ",
            Self::Reset => "its reset failed: ",
        })
    }
}
