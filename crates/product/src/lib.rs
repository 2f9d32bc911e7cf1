//! The product: an instrumented todo, blog and log-ingest API. It knows nothing of labs.
//!
//! Each resource of `api` goes routes → service → repository. A service looks into the `cache`
//! first; a repository reads and writes `entity` through `db`. Both add to the request cost.
//! Accounts and todos are served twice by the same handlers: under /api/v1 a request holds a thread
//! from dispatch to answer, under /api/v2 it shares the workers. Log lines go through a queue to
//! one writer, which commits them in groups; each request is answered after that.

/// Resources that clients use.
pub mod api;
/// Backups of the database, and restores.
pub mod backup;
/// Values read from the database, cached in this process or in Redis.
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
/// Bytes that are held for clients, and their limits.
pub mod held_bytes;
/// Input of clients, parsed and checked.
pub mod input;
/// Metrics.
pub mod metrics;
/// Rate-limit headers of an answer.
pub mod quota;
/// The rows every database starts with.
pub mod seed;
