//! Meaning of a failed statement: a dependency that is down, a row that exists already, or a
//! mistake of ours.

use sea_orm::{
    DbErr, RuntimeErr, SqlErr,
    sqlx::{self, error::DatabaseError, postgres::PgDatabaseError, sqlite::SqliteError},
};

/// Primary result codes of SQLite for temporary failures: busy, locked, and those below.
const SQLITE_UNAVAILABLE: [i32; 7] = [SQLITE_BUSY, 6, 7, SQLITE_READONLY, 10, 13, 14];
const SQLITE_BUSY: i32 = 5;
const SQLITE_READONLY: i32 = 8;

/// Codes for out of memory, read-only, I/O error, full, can't open.
const SQLITE_WRITES_NOTHING: [i32; 5] = [7, SQLITE_READONLY, 10, 13, 14];

/// PostgreSQL's classes of states for temporary failures: connection exceptions, rollbacks for the
/// sake of others, insufficient resources, operator intervention, system errors.
const POSTGRES_UNAVAILABLE: [&str; 6] = ["08", "40", "53", "57", "58", POSTGRES_READONLY];
const POSTGRES_READONLY: &str = "25006";

/// Classes for insufficient resources, such as a full disk; system errors; a replica.
const POSTGRES_WRITES_NOTHING: [&str; 3] = ["53", "58", POSTGRES_READONLY];

/// True if the database was down or had no room, and the same request may succeed later.
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
                sqlx::Error::Database(error) => {
                    is_one_of(error.as_ref(), &SQLITE_UNAVAILABLE, &POSTGRES_UNAVAILABLE)
                }
                _ => false,
            }
        }
        _ => false,
    }
}

/// True if writing is useless: the disk is full, broken or read-only. A lock that others hold is no
/// such failure.
pub fn is_write_failure(error: &DbErr) -> bool {
    database_error(error)
        .is_some_and(|e| is_one_of(e, &SQLITE_WRITES_NOTHING, &POSTGRES_WRITES_NOTHING))
}

/// True if the SQLite file was read-only, perhaps only when the connection was opened.
pub fn is_read_only(error: &DbErr) -> bool {
    database_error(error).is_some_and(|e| is_one_of(e, &[SQLITE_READONLY], &[]))
}

fn database_error(error: &DbErr) -> Option<&dyn DatabaseError> {
    let (DbErr::Exec(RuntimeErr::SqlxError(error))
    | DbErr::Query(RuntimeErr::SqlxError(error))
    | DbErr::Conn(RuntimeErr::SqlxError(error))) = error
    else {
        return None;
    };
    let sqlx::Error::Database(error) = error.as_ref() else { return None };
    Some(error.as_ref())
}

/// True if no connection could be made because another process locks the SQLite file.
pub fn is_locked(error: &DbErr) -> bool {
    let DbErr::Conn(RuntimeErr::SqlxError(error)) = error else { return false };
    let sqlx::Error::Database(error) = error.as_ref() else { return false };
    sqlite_code(error.as_ref()) == Some(SQLITE_BUSY)
}

fn is_one_of(error: &dyn DatabaseError, sqlite: &[i32], postgres: &[&str]) -> bool {
    if let Some(error) = error.try_downcast_ref::<PgDatabaseError>() {
        return postgres.iter().any(|class| error.code().starts_with(class));
    }
    sqlite_code(error).is_some_and(|code| sqlite.contains(&code))
}

fn sqlite_code(error: &dyn DatabaseError) -> Option<i32> {
    let code = error.try_downcast_ref::<SqliteError>().and_then(DatabaseError::code)?;
    // The low byte of an extended code is its primary one.
    code.parse::<i32>().ok().map(|code| code & 0xff)
}

/// True if the row that this one belongs to does not exist.
pub fn is_orphan(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::ForeignKeyConstraintViolation(_)))
}

/// True if a row with such a unique value exists already.
pub fn is_unique_violation(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}
