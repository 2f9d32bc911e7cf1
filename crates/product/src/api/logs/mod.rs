//! Log ingest by group commit: an answer of 200 means that the lines are on disk.
//!
//! A handler parses its lines (`reading`), puts them into a bounded queue (`queue`) and waits. One
//! task (`writer`) takes all that wait there and commits them in one transaction.

/// Request and response bodies.
mod bodies;
/// Schemas of lines and device names, for the OpenAPI document.
mod described;
/// A line as it stands in a body.
mod given;
/// Lines on their way to the database, as JSON.
mod lines;
/// The bounded queue between handlers and writer.
mod queue;
/// Lines per second.
mod rate;
/// Parses bodies into lines, or reports every bad field in them.
mod reading;
/// Queries and statements.
mod repository;
/// Deletion of lines that are too old.
mod retention;
/// URLs and handlers.
mod routes;
/// Logic of each endpoint.
mod service;
/// Commits lines in groups.
mod writer;

pub use queue::LogQueue;
pub use retention::delete_expired;
pub use routes::router;
