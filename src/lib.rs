//! Chokepoint: an instrumented teaching server with deliberate bottlenecks.
//!
//! Data flows one way. A request enters through `telemetry::http`, which opens its budget; `router`
//! hands it to `api` or to one of the `labs`; those read `entity` through `db`, which books each
//! query on the budget. `ops` reads what was recorded, from a port and a runtime of its own.
//! `server` starts both; `cli` holds the commands around it, `prove` among them.

/// The product: resources that clients use.
pub mod api;
/// The command line.
pub mod cli;
/// Every setting.
pub mod config;
/// The connection pool that books queries on the current request.
pub mod db;
/// One file per table.
pub mod entity;
/// Every failure, and its answer.
pub mod error;
/// Bottlenecks, each beside its fix.
pub mod labs;
/// The second port: metrics, profiles, lab pages.
pub mod ops;
/// HTML pages of both ports.
pub mod pages;
/// Proves that each lab shows its symptom, and that its fix removes it.
pub mod prove;
/// The URL space of the app port.
pub mod router;
/// The rows every database starts with.
pub mod seed;
/// Two runtimes, two ports, start and stop.
pub mod server;
/// What handlers may take.
pub mod state;
/// Everything that watches.
pub mod telemetry;
