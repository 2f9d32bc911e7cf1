//! One binary for all integration tests, so that they are linked once.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that panics has failed")]

/// Client that checks that acknowledged writes are stored.
mod acknowledged;
/// Storage of this binary's tests.
mod backends;
/// Spans of a trace.
mod kept_traces;
/// Labs of these tests.
mod own_labs;
/// The program as a process.
mod program;
/// Connections at byte level.
mod raw;
mod support;

/// Accounts and tokens.
mod auth;
/// Copies of the database.
mod backup;
/// Polls that blocked a worker.
mod blocked;
/// The cache alone, in this process.
mod cache;
/// Profiles: kept, found, compared.
mod captures;
/// Lab folders are complete and have the same shape.
mod catalogue;
/// Command line of the program.
mod command_line;
/// gzip, and its exceptions.
mod compression;
/// Timeouts of connections, and their limit.
mod connections;
/// Pages of other origins.
mod cors;
/// Lists of the cost counters.
mod counters;
/// Tests for every database.
mod databases;
/// Deadlines of requests.
mod deadlines;
/// Error answers.
mod errors;
/// The front end as it is served.
mod front;
/// A full disk.
mod full_disk;
/// Tests for every store without room.
mod full_store;
/// `health`, as containers call it.
mod health_command;
/// Unread answers and waiting bodies.
#[cfg(target_os = "linux")]
mod held_bytes;
/// A connection that a request holds.
mod held_connections;
/// Nothing of the caller's environment reaches what prove starts.
#[cfg(target_os = "linux")]
mod hermetic;
/// The Host header, and malformed sampler.
mod hosts;
/// Data of a lab's own: tables, set-up, reset.
mod lab_data;
/// The request of a lab at a real server.
mod lab_requests;
/// Lab variants give the same answer with different numbers.
mod labs;
/// The learner's commands.
#[cfg(unix)]
mod learn;
/// Shutdown.
mod leaving;
/// Rate limits.
mod limits;
/// Bytes of requests in the program's own log can't mislead its reader.
mod log_bytes;
/// Log ingest into an SQLite file.
mod log_file;
/// The log filter, changed for a limited time.
mod log_filter;
/// Log lines that are refused.
mod log_refusals;
/// Data of log lines is returned as it was sent.
mod log_texts;
/// Floods of log-ins.
mod login_flood;
/// Log ingest: valid lines, the time of the answer, and reading.
mod logs;
/// Lists of long rows are limited in bytes.
mod long_lists;
/// The metrics that Prometheus scrapes.
mod metrics;
/// Data of the lab missing-index.
mod missing_index;
/// Files of a new lab.
mod new_lab;
/// The OpenAPI document describes what is served.
mod openapi;
/// The server accepts the examples of the OpenAPI document.
mod openapi_examples;
/// The ops port, above all while the app is blocked.
mod ops;
/// Callers that the ops port accepts.
mod ops_callers;
/// Sessions of browsers on the ops port.
mod ops_sessions;
/// Pages of the ops port.
mod pages;
/// The cost of a password.
mod passwords;
/// The blog.
mod posts;
/// Memory that profiles take, and free.
mod profile_memory;
/// Profiles and their content.
mod profiles;
/// A proof that can't hold fails.
mod prove;
/// Races of two variants, live.
mod race;
/// Readiness: `/health/ready` reports that the database can be written.
mod readiness;
/// Pages of the span store.
mod recent_traces;
/// The request cost, and its reports.
mod request_cost;
/// Thread-per-request pool of /api/v1.
mod request_threads;
/// Retention of log lines.
mod retention;
/// Rows that SQLite visits for a request.
mod rows_visited;
/// Secrets in files.
mod secret_files;
/// Secrets that the log must not have.
mod secrets;
/// The program's own log.
mod server_log;
/// The end of sessions.
mod sessions;
/// Signals and their effects.
mod signals;
/// Content and size of the span store, and its evictions.
mod span_store;
/// Settings of SQLite.
mod sqlite;
/// Statements that the database prepares for a request.
mod statements_prepared;
/// An SQLite file that is deleted or replaced while it is in use.
mod store_file;
/// Load test of log ingest.
mod stress;
/// A lab whose jobs never come back, beside the app.
mod throw_away;
/// Todos in the API.
mod todos;
/// Access tokens that are valid.
mod tokens;
/// Traces while tokio-console is on.
mod tokio_console;
/// Traces, as an OTLP receiver gets them.
mod traces;
/// Refusals of requests whose body is still arriving.
mod unread_bodies;
/// The service that labs call: faults and counts.
mod upstream;
/// Traces and metrics of calls to it.
mod upstream_traces;
/// Many users who write at once.
mod writers;
