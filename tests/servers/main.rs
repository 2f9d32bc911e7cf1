//! Tests of `it` that use a database or a cache, again on PostgreSQL and Redis, and tests that only
//! these servers need.
//!
//! `.ci/checks/servers` starts both and runs this. It fails if one is missing; it never skips.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that panics has failed")]

/// Storage of this binary's tests.
mod backends;
/// Spans of a trace.
#[path = "../it/kept_traces.rs"]
mod kept_traces;
/// Labs of these tests.
#[expect(dead_code, reason = "the tests of `it` use more of it")]
#[path = "../it/own_labs.rs"]
mod own_labs;
/// The program as a process.
#[expect(dead_code, reason = "the tests of `it` use more of it")]
#[path = "../it/program.rs"]
mod program;
#[expect(dead_code, reason = "the tests of `it` use more of it")]
#[path = "../it/support.rs"]
mod support;

/// Accounts and tokens.
#[path = "../it/auth.rs"]
mod auth;
/// Copies of a PostgreSQL database.
mod backup;
/// The cache alone, on Redis.
#[path = "../it/cache.rs"]
mod cache;
/// Tests for every database.
#[path = "../it/databases.rs"]
mod databases;
/// Error answers.
#[path = "../it/errors.rs"]
mod errors;
/// Servers and networks that no longer answer.
mod frozen;
/// A connection that a request holds.
#[path = "../it/held_connections.rs"]
mod held_connections;
/// Lab variants give the same answer with different numbers.
#[path = "../it/labs.rs"]
mod labs;
/// Rate limits.
#[path = "../it/limits.rs"]
mod limits;
/// A proxy to a server that can pause or break connections.
mod line;
/// Log lines that are refused.
#[path = "../it/log_refusals.rs"]
mod log_refusals;
/// Data of log lines is returned as it was sent.
#[path = "../it/log_texts.rs"]
mod log_texts;
/// Log ingest: valid lines, the time of the answer, and reading.
#[path = "../it/logs.rs"]
mod logs;
/// Lists of long rows are limited in bytes.
#[path = "../it/long_lists.rs"]
mod long_lists;
/// The metrics that Prometheus scrapes.
#[path = "../it/metrics.rs"]
mod metrics;
/// Data of the lab missing-index.
#[path = "../it/missing_index.rs"]
mod missing_index;
/// PostgreSQL refuses, restarts, and serves like SQLite.
mod postgres;
/// The blog.
#[path = "../it/posts.rs"]
mod posts;
/// Labs proven on PostgreSQL and Redis.
mod proven;
/// The request cost, and its reports.
#[path = "../it/request_cost.rs"]
mod request_cost;
/// Retention of log lines.
#[path = "../it/retention.rs"]
mod retention;
/// A logout while Redis is flushed, down, or down for one instance only.
mod revocation;
/// Secrets that the log must not have.
#[path = "../it/secrets.rs"]
mod secrets;
/// The end of sessions.
#[path = "../it/sessions.rs"]
mod sessions;
/// Two instances on one Redis, which goes down and comes back.
mod shared_cache;
/// Rate limits that all instances share.
mod shared_limits;
/// Statements that the database prepares for a request.
#[path = "../it/statements_prepared.rs"]
mod statements_prepared;
/// Todos in the API.
#[path = "../it/todos.rs"]
mod todos;
/// Spans of commands to servers.
mod traces;
/// Many users who write at once.
#[path = "../it/writers.rs"]
mod writers;
