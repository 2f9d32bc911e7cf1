//! Log ingest by group commit: an answer of 200 means that the lines are on disk.
//!
//! A handler reads its lines (`bodies`), hands them to a bounded queue (`queue`) and waits. One
//! task (`writer`) takes whatever waits there and commits it in one transaction.

/// What clients send and get.
mod bodies;
/// Lines and names of devices, for the OpenAPI document.
mod described;
/// A line as it lies in a body.
mod given;
/// Lines on their way to the database, in the form in which they travel.
mod lines;
/// The bounded queue between handlers and writer.
mod queue;
/// Lines per second.
mod rate;
/// Bodies to lines, or everything that is bad in them.
mod reading;
/// Queries and statements.
mod repository;
/// Deletion of lines that are too old.
mod retention;
/// URLs and handlers.
mod routes;
/// What each endpoint does.
mod service;
/// Commits lines in groups.
mod writer;

pub use queue::LogQueue;
pub use retention::delete_expired;
pub use routes::router;
