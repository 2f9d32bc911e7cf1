//! Counts of the database engine's own work: rows that it visited to find those that it returned,
//! which an index spares it, and statements that it prepared. They count on requests of routes that
//! have the counter among theirs.
//!
//! SQLite reports its counts when a statement ends, so those of work that no request waits for are
//! in the totals of the process. PostgreSQL must be asked, so it is for these requests alone.

use observe::cost::own::OwnCounter;

/// `EXPLAIN ANALYZE` and `pg_prepared_statements` of PostgreSQL.
pub mod postgres;
/// Counts of SQLite.
pub mod sqlite;

pub static ROWS_VISITED: OwnCounter = OwnCounter::new(
    "rows_visited",
    "Rows that the database visited to answer; SQLite counts those of full scans.",
);

/// Each preparation, where the table's `new_statements` has the first of each text: the same text is
/// prepared again on another connection, once its place in the driver's cache of a connection was
/// needed by others, and at each use without that cache.
pub static STATEMENTS_PREPARED: OwnCounter = OwnCounter::new(
    "statements_prepared",
    "Statements that the database prepared; SQLite counts BEGIN and COMMIT as well.",
);

/// Work of SQLite that is no full scan, such as the search of a part of an index, shows in these.
pub static VM_STEPS: OwnCounter = OwnCounter::new(
    "vm_steps",
    "Steps of the virtual machine in which SQLite runs a statement; PostgreSQL has none.",
);
