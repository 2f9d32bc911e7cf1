//! Counts that SQLite keeps of each statement, taken when the statement ends.
//!
//! sqlx runs the statements of a connection on a thread of its own, where no request is known. So
//! the connection is lent to the request that acquires it, until its statement or transaction ends.

use std::{
    collections::BTreeMap,
    ffi::{c_int, c_uint, c_void},
    ptr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use libsqlite3_sys::{
    SQLITE_OK, SQLITE_STMTSTATUS_AUTOINDEX, SQLITE_STMTSTATUS_FULLSCAN_STEP,
    SQLITE_STMTSTATUS_VM_STEP, SQLITE_TRACE_PROFILE, sqlite3_db_handle, sqlite3_get_autocommit,
    sqlite3_stmt, sqlite3_stmt_status, sqlite3_trace_v2,
};
use sea_orm::sqlx::{
    Error,
    sqlite::{LockedSqliteHandle, SqliteConnection},
};

use super::{ROWS_VISITED, VM_STEPS};
use observe::request_cost::{self, RequestCost};

/// Requests that have a connection, by its address.
static BORROWERS: Mutex<BTreeMap<usize, Weak<RequestCost>>> = Mutex::new(BTreeMap::new());

fn borrowers() -> MutexGuard<'static, BTreeMap<usize, Weak<RequestCost>>> {
    // A panic while the lock was held leaves a map that is whole.
    BORROWERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Has SQLite report the end of each statement of a new connection, which is lent to the request
/// that waits for it.
#[expect(unsafe_code, reason = "sqlx has no wrapper of this call")]
pub async fn watch(connection: &mut SqliteConnection) -> Result<(), Error> {
    let mut handle = connection.lock_handle().await?;
    let raw = handle.as_raw_handle().as_ptr();
    // SAFETY: the connection is open, and locked against its own thread. The callback lives as long
    // as the program, and is given no context.
    let code = unsafe {
        sqlite3_trace_v2(raw, SQLITE_TRACE_PROFILE, Some(statement_ended), ptr::null_mut())
    };
    if code != SQLITE_OK {
        let reason = format!("SQLite does not report its statements: code {code}");
        return Err(Error::Configuration(reason.into()));
    }
    lend_to_current(&mut handle);
    Ok(())
}

/// Lends the connection to the request that acquires it, if that has one of the counters.
pub async fn lend(connection: &mut SqliteConnection) -> Result<(), Error> {
    // The lock is a message to the connection's thread and back, which others need not pay.
    if has_counters() {
        lend_to_current(&mut connection.lock_handle().await?);
    }
    Ok(())
}

fn has_counters() -> bool {
    let mut has = false;
    request_cost::with(|request| has = ROWS_VISITED.is_of(request) || VM_STEPS.is_of(request));
    has
}

fn lend_to_current(handle: &mut LockedSqliteHandle<'_>) {
    let address = handle.as_raw_handle().as_ptr().addr();
    match request_cost::current().filter(|_| has_counters()) {
        Some(request) => borrowers().insert(address, Arc::downgrade(&request)),
        // An earlier connection may have had the address.
        None => borrowers().remove(&address),
    };
}

/// Takes the counts of a statement that has ended. SQLite calls it on the thread that ran it.
#[expect(unsafe_code, reason = "SQLite hands the statement over as a raw pointer")]
unsafe extern "C" fn statement_ended(
    _event: c_uint,
    _context: *mut c_void,
    statement: *mut c_void,
    _nanoseconds: *mut c_void,
) -> c_int {
    let statement = statement.cast::<sqlite3_stmt>();
    // SAFETY: for the one event that was asked for, it is a statement that is not yet finalized, of
    // a connection that is open; both are used by this thread alone.
    let (rows, steps, address, is_between_transactions) = unsafe {
        let taken = |status| u64::try_from(sqlite3_stmt_status(statement, status, 1)).unwrap_or(0);
        let scanned = taken(SQLITE_STMTSTATUS_FULLSCAN_STEP) + taken(SQLITE_STMTSTATUS_AUTOINDEX);
        let connection = sqlite3_db_handle(statement);
        let is_between_transactions = sqlite3_get_autocommit(connection) != 0;
        (scanned, taken(SQLITE_STMTSTATUS_VM_STEP), connection.addr(), is_between_transactions)
    };
    let borrower = {
        let mut borrowers = borrowers();
        match is_between_transactions {
            true => borrowers.remove(&address),
            false => borrowers.get(&address).cloned(),
        }
    };
    let request = borrower.and_then(|request| request.upgrade());
    ROWS_VISITED.add_to(request.as_deref(), rows);
    VM_STEPS.add_to(request.as_deref(), steps);
    0
}
