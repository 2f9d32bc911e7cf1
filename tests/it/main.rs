//! One binary for all integration tests: it links once.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that panics has failed")]

/// What clients were told is stored.
mod acknowledged;
/// Where the tests of this binary keep their rows.
mod backends;
/// The spans of a trace.
mod kept_traces;
/// The program as a process.
mod program;
/// Connections as bytes.
mod raw;
mod support;

/// Accounts and tokens.
mod auth;
/// Copies of the database.
mod backup;
/// Polls that held a worker.
mod blocked;
/// What a request cost, and where that is told.
mod budget;
/// The cache by itself, in this process.
mod cache;
/// Profiles that were taken: kept, found, compared.
mod captures;
/// The folders of the labs are complete and alike.
mod catalogue;
/// The program as a person starts it.
mod command_line;
/// gzip, and when not.
mod compression;
/// Connections that overstay, and more than there may be.
mod connections;
/// Pages of other origins.
mod cors;
/// What holds on every database.
mod databases;
/// What takes too long is given up.
mod deadlines;
/// Every failure has its answer.
mod errors;
/// A disk without room.
mod full_disk;
/// What must hold when a store has no room.
mod full_store;
/// `health`, as containers ask it.
mod health_command;
/// What clients leave unread, and what of theirs waits.
#[cfg(target_os = "linux")]
mod held_bytes;
/// A request of /api/v1 holds a thread from dispatch to answer.
mod held_threads;
/// The Host header, and heads that are none.
mod hosts;
/// The labs answer alike, and their numbers differ as their evidence says.
mod labs;
/// How it stops.
mod leaving;
/// How often a caller may ask.
mod limits;
/// The program's own log, written for whoever reads it and not by whoever sends.
mod log_bytes;
/// Log ingest into an SQLite file.
mod log_file;
/// What is logged, changed for a while.
mod log_filter;
/// Log lines that are refused.
mod log_refusals;
/// Data of log lines comes back as it was sent.
mod log_texts;
/// Log-ins by the hundred.
mod login_flood;
/// Log ingest: what is taken, when it is answered, and how it is read.
mod logs;
/// Lists of long rows end at a number of bytes.
mod long_lists;
/// What Prometheus scrapes.
mod metrics;
/// The description of the API is that of what is served.
mod openapi;
/// The server takes what the description of the API has for examples.
mod openapi_examples;
/// The ops port, above all while the app is held.
mod ops;
/// Whose requests the ops port answers.
mod ops_callers;
/// What a password costs.
mod passwords;
/// The blog.
mod posts;
/// Memory that profiles take, and give back.
mod profile_memory;
/// Profiles, as they are taken.
mod profiles;
/// A proof that can't hold does not.
mod prove;
/// Whether the database can be written, as `/health/ready` says.
mod readiness;
/// Traces kept in the process, and their pages.
mod recent_traces;
/// How long log lines are kept.
mod retention;
/// Secrets in files of their own.
mod secret_files;
/// What the log never says.
mod secrets;
/// The program's own log.
mod server_log;
/// How sessions end.
mod sessions;
/// What each signal does.
mod signals;
/// What only SQLite has to be told.
mod sqlite;
/// A SQLite file that is deleted or replaced while it is used.
mod store_file;
/// Log ingest under load.
mod stress;
/// Todos as clients see them.
mod todos;
/// Which access tokens are taken.
mod tokens;
/// Traces while tokio-console is on.
mod tokio_console;
/// What recent traces take, and what goes when it is too much.
mod trace_ring;
/// Traces, as an OTLP receiver gets them.
mod traces;
/// Refusals of requests whose body is still under way.
mod unread_bodies;
/// Many users who write at once.
mod writers;
