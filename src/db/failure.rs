//! What a failed statement means: a dependency that is down, a row that exists already, or a mistake
//! of ours.

use sea_orm::{
    DbErr, RuntimeErr, SqlErr,
    sqlx::{self, error::DatabaseError, postgres::PgDatabaseError, sqlite::SqliteError},
};

/// Primary result codes of SQLite for what may pass: busy, locked, I/O error, full, can't open.
const SQLITE_UNAVAILABLE: [i32; 5] = [SQLITE_BUSY, 6, 10, 13, 14];
const SQLITE_BUSY: i32 = 5;

/// PostgreSQL's classes of states for what may pass: connection exceptions, transactions rolled
/// back for others' sake, insufficient resources, operator intervention, system errors.
const POSTGRES_UNAVAILABLE: [&str; 5] = ["08", "40", "53", "57", "58"];

/// Whether the database was not there or had no room, and the same request may succeed later.
pub fn is_unavailable(error: &DbErr) -> bool {
    match error {
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => true,
        DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error)) => {
            match error.as_ref() {
                sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed => true,
                sqlx::Error::Database(error) => may_pass(error.as_ref()),
                _ => false,
            }
        }
        _ => false,
    }
}

/// Whether a connection could not be made because another process has the SQLite file for itself.
pub fn is_locked(error: &DbErr) -> bool {
    let DbErr::Conn(RuntimeErr::SqlxError(error)) = error else { return false };
    let sqlx::Error::Database(error) = error.as_ref() else { return false };
    sqlite_code(error.as_ref()) == Some(SQLITE_BUSY)
}

fn may_pass(error: &dyn DatabaseError) -> bool {
    if let Some(error) = error.try_downcast_ref::<PgDatabaseError>() {
        return POSTGRES_UNAVAILABLE.iter().any(|class| error.code().starts_with(class));
    }
    sqlite_code(error).is_some_and(|code| SQLITE_UNAVAILABLE.contains(&code))
}

fn sqlite_code(error: &dyn DatabaseError) -> Option<i32> {
    let code = error.try_downcast_ref::<SqliteError>().and_then(DatabaseError::code)?;
    // The low byte of an extended code is its primary one.
    code.parse::<i32>().ok().map(|code| code & 0xff)
}

/// Whether the row that this one belongs to is not there.
pub fn is_orphan(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::ForeignKeyConstraintViolation(_)))
}

/// Whether a row with such a unique value exists already.
pub fn is_unique_violation(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}
