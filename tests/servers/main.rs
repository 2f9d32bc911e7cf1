//! The tests of `it` that have to do with a database or a cache once more, on PostgreSQL and Redis, and
//! those that only these servers need.
//!
//! `.ci/checks/servers` starts both and runs this. It fails if one is missing; it never skips.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that panics has failed")]

/// Where the tests of this binary keep their rows.
mod backends;
/// The spans of a trace.
#[path = "../it/kept_traces.rs"]
mod kept_traces;
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
/// What a request cost, and where that is told.
#[path = "../it/budget.rs"]
mod budget;
/// The cache by itself, on Redis.
#[path = "../it/cache.rs"]
mod cache;
/// What holds on every database.
#[path = "../it/databases.rs"]
mod databases;
/// Every failure has its answer.
#[path = "../it/errors.rs"]
mod errors;
/// Servers and lines that say nothing any more.
mod frozen;
/// The labs answer alike, and their numbers differ as their evidence says.
#[path = "../it/labs.rs"]
mod labs;
/// How often a caller may ask.
#[path = "../it/limits.rs"]
mod limits;
/// A line to a server that can be held up or cut.
mod line;
/// Log lines that are refused.
#[path = "../it/log_refusals.rs"]
mod log_refusals;
/// Data of log lines comes back as it was sent.
#[path = "../it/log_texts.rs"]
mod log_texts;
/// Log ingest: what is taken, when it is answered, and how it is read.
#[path = "../it/logs.rs"]
mod logs;
/// Lists of long rows end at a number of bytes.
#[path = "../it/long_lists.rs"]
mod long_lists;
/// What Prometheus scrapes.
#[path = "../it/metrics.rs"]
mod metrics;
/// PostgreSQL refuses, and goes and comes back.
mod postgres;
/// The blog.
#[path = "../it/posts.rs"]
mod posts;
/// How long log lines are kept.
#[path = "../it/retention.rs"]
mod retention;
/// A logout while Redis is flushed, away, or away for one instance only.
mod revocation;
/// What the log never says.
#[path = "../it/secrets.rs"]
mod secrets;
/// How sessions end.
#[path = "../it/sessions.rs"]
mod sessions;
/// Two instances on one Redis, which goes away and comes back.
mod shared_cache;
/// Limits that all instances count together.
mod shared_limits;
/// Todos as clients see them.
#[path = "../it/todos.rs"]
mod todos;
/// What traces say of servers.
mod traces;
/// Many users who write at once.
#[path = "../it/writers.rs"]
mod writers;
