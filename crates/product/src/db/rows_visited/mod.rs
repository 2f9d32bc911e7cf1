//! Rows that the database visited to find those that it returned: what an index spares it. They
//! count on requests of routes that have `ROWS_VISITED` among their counters.
//!
//! SQLite reports its counts when a statement ends, so those of work that no request waits for are
//! in the totals of the process. PostgreSQL reports them only for a statement that it runs once
//! more to explain it, so it is asked for these requests alone.

use observe::cost::own::OwnCounter;

/// `EXPLAIN ANALYZE` of PostgreSQL.
pub mod postgres;
/// Counts of SQLite.
pub mod sqlite;

pub static ROWS_VISITED: OwnCounter = OwnCounter::new(
    "rows_visited",
    "Rows that the database visited to answer; SQLite counts those of full scans.",
);

/// Work of SQLite that is no full scan, such as the search of a part of an index, shows in these.
pub static VM_STEPS: OwnCounter = OwnCounter::new(
    "vm_steps",
    "Steps of the virtual machine in which SQLite runs a statement; PostgreSQL has none.",
);
