//! The product that is watched: a todo, blog and log-ingest API. It knows nothing of labs.
//!
//! Each resource of `api` goes routes → service → repository. What may be in the `cache` a service
//! asks for there first; a repository reads and writes `entity` through `db`. Both add what they
//! cost to the request's cost. Accounts and todos are served twice by the same handlers: under /api/v1
//! a request holds a thread from dispatch to answer, under /api/v2 it shares the workers. Log lines
//! go through a queue to one writer, which commits them in groups; each is answered after that.

/// Resources that clients use.
pub mod api;
/// Copies of the database, and databases from copies.
pub mod backup;
/// Values read from the database, kept close: in this process or in Redis.
pub mod cache;
/// Settings.
pub mod config;
/// SQLite or PostgreSQL: the pool that adds queries to the cost of the current request.
pub mod db;
/// Proxies in front, other origins, gzip, deadlines.
pub mod edge;
/// One file per table.
pub mod entity;
/// Failures, and their answers.
pub mod error;
/// Bytes that are held for clients, and how many may be.
pub mod held_bytes;
/// Requests of clients, checked.
pub mod input;
/// Metrics.
pub mod metrics;
/// Remaining requests of a caller who may ask only so often.
pub mod quota;
/// The rows every database starts with.
pub mod seed;
/// Parts that handlers may take.
pub mod state;
