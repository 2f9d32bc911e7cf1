//! Counts that SQLite keeps of each statement, taken when the statement ends.
//!
//! sqlx runs the statements of a connection on a thread of its own, where no request is known. So
//! the connection is lent to the request that acquires it, until its statement or transaction ends,
//! or its holder drops it.

use std::{
    collections::BTreeMap,
    ffi::{c_int, c_uint, c_void},
    ptr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use libsqlite3_sys::{
    SQLITE_OK, SQLITE_STMTSTATUS_AUTOINDEX, SQLITE_STMTSTATUS_FULLSCAN_STEP,
    SQLITE_STMTSTATUS_REPREPARE, SQLITE_STMTSTATUS_RUN, SQLITE_STMTSTATUS_VM_STEP,
    SQLITE_TRACE_PROFILE, sqlite3_db_handle, sqlite3_get_autocommit, sqlite3_stmt,
    sqlite3_stmt_status, sqlite3_trace_v2,
};
use sea_orm::sqlx::{
    Error,
    sqlite::{LockedSqliteHandle, SqliteConnection},
};

use super::{ROWS_VISITED, STATEMENTS_PREPARED, VM_STEPS};
use observe::request_cost::{self, RequestCost};

/// Requests that have a connection, by its address.
static BORROWERS: Mutex<BTreeMap<usize, Borrower>> = Mutex::new(BTreeMap::new());

#[derive(Clone)]
struct Borrower {
    request: Weak<RequestCost>,
    /// True if a holder has the connection for more than one statement.
    is_holder: bool,
}

/// A connection that is lent to its holder, until this is dropped.
pub struct Lent(usize);

impl Drop for Lent {
    fn drop(&mut self) {
        borrowers().remove(&self.0);
    }
}

fn borrowers() -> MutexGuard<'static, BTreeMap<usize, Borrower>> {
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
    lend_to_current(&mut handle, false);
    Ok(())
}

/// Lends the connection to the request that acquires it, if that has one of the counters.
pub async fn lend(connection: &mut SqliteConnection) -> Result<(), Error> {
    // The lock is a message to the connection's thread and back, which others need not pay.
    if has_counters() {
        lend_to_current(&mut connection.lock_handle().await?, false);
    }
    Ok(())
}

/// Lends the connection to its holder for as long as it has it. None if the request counts nothing
/// of it.
pub async fn lend_to_holder(connection: &mut SqliteConnection) -> Result<Option<Lent>, Error> {
    if !has_counters() {
        return Ok(None);
    }
    Ok(Some(Lent(lend_to_current(&mut connection.lock_handle().await?, true))))
}

fn has_counters() -> bool {
    let mut has = false;
    request_cost::with(|request| {
        has = [&ROWS_VISITED, &STATEMENTS_PREPARED, &VM_STEPS].iter().any(|c| c.is_of(request));
    });
    has
}

/// Returns the connection's address.
fn lend_to_current(handle: &mut LockedSqliteHandle<'_>, is_holder: bool) -> usize {
    let address = handle.as_raw_handle().as_ptr().addr();
    match request_cost::current().filter(|_| has_counters()) {
        Some(request) => {
            borrowers().insert(address, Borrower { request: Arc::downgrade(&request), is_holder })
        }
        // An earlier connection may have had the address.
        None => borrowers().remove(&address),
    };
    address
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
    let (rows, steps, prepared, address, is_between_transactions) = unsafe {
        let taken = |status| u64::try_from(sqlite3_stmt_status(statement, status, 1)).unwrap_or(0);
        let scanned = taken(SQLITE_STMTSTATUS_FULLSCAN_STEP) + taken(SQLITE_STMTSTATUS_AUTOINDEX);
        // Not taken: it tells the first run, which is that of a new statement.
        let is_first_run = sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_RUN, 0) == 1;
        let prepared = u64::from(is_first_run) + taken(SQLITE_STMTSTATUS_REPREPARE);
        let connection = sqlite3_db_handle(statement);
        let is_between_transactions = sqlite3_get_autocommit(connection) != 0;
        let steps = taken(SQLITE_STMTSTATUS_VM_STEP);
        (scanned, steps, prepared, connection.addr(), is_between_transactions)
    };
    let borrower = {
        let mut borrowers = borrowers();
        let borrower = borrowers.get(&address).cloned();
        if is_between_transactions && borrower.as_ref().is_some_and(|b| !b.is_holder) {
            borrowers.remove(&address);
        }
        borrower
    };
    let request = borrower.and_then(|borrower| borrower.request.upgrade());
    ROWS_VISITED.add_to(request.as_deref(), rows);
    VM_STEPS.add_to(request.as_deref(), steps);
    STATEMENTS_PREPARED.add_to(request.as_deref(), prepared);
    0
}
