//! Chokepoint: an instrumented teaching server with deliberate bottlenecks.
//!
//! Data flows one way. A request enters through `telemetry::http`, which opens its budget, and
//! `edge`: proxies in front, other origins, gzip. `router` hands it to `api` or to a lab.
//!
//! Each resource of `api` goes routes → service → repository. What may be in the `cache` a service
//! asks for there first; a repository reads and writes `entity` through `db`. Both book what they
//! cost on the budget. Accounts and todos are served twice by the same handlers: under /api/v1 a
//! request holds a thread from dispatch to answer, under /api/v2 it shares the workers. Log lines
//! go through a queue to one writer, which commits them in groups; each is answered after that.
//!
//! `ops` reads what was recorded, from a port and a runtime of its own. `server` starts both; `cli`
//! holds the commands around it, `prove`, `flame` and `stress` among them.

/// The product: resources that clients use.
pub mod api;
/// Copies of the database, and databases from copies.
pub mod backup;
/// What was read from the database, kept close: in this process or in Redis.
pub mod cache;
/// The command line.
pub mod cli;
/// Every setting.
pub mod config;
/// SQLite or PostgreSQL: the pool that books queries on the current request.
pub mod db;
/// Proxies in front, other origins, gzip.
pub mod edge;
/// One file per table.
pub mod entity;
/// Every failure, and its answer.
pub mod error;
/// Slow against fast of one lab as flame graphs.
pub mod flame;
/// Bytes that are held for clients, and how many may be.
pub mod held_bytes;
/// What clients send, checked.
pub mod input;
/// Bottlenecks, each beside its fix.
pub mod labs;
/// The second port: metrics, profiles, lab pages.
pub mod ops;
/// HTML pages of both ports.
pub mod pages;
/// Proves that each lab shows its symptom, and that its fix removes it.
pub mod prove;
/// What is left to a caller who may ask only so often.
pub mod quota;
/// The URL space of the app port.
pub mod router;
/// The rows every database starts with.
pub mod seed;
/// Two runtimes, two ports, start and stop.
pub mod server;
/// What handlers may take.
pub mod state;
/// Loads log ingest, and reads back what it acknowledged.
pub mod stress;
/// Everything that watches.
pub mod telemetry;
