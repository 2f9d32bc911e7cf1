//! One line for each request, with its budget. Written by hand rather than as an event: a third of
//! the price, and it is paid by every request.

use std::{
    io::Write,
    time::{Duration, SystemTime},
};

use serde::Serialize;
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking};

use super::{budget::Cost, request_id::Ids};
use crate::config::LogFormat;

/// The status of a request whose client went away before the answer, as nginx logs it.
pub const CLIENT_CLOSED_REQUEST: u16 = 499;

#[derive(Clone)]
pub struct AccessLog {
    writer: NonBlocking,
    format: LogFormat,
}

/// What the line says of the request itself.
pub struct Request<'a> {
    pub ids: &'a Ids,
    pub method: &'a str,
    pub route: &'a str,
    /// Without the query, which may hold secrets.
    pub path: &'a str,
    pub status: u16,
}

#[derive(Serialize)]
struct Line<'a> {
    timestamp: String,
    level: &'static str,
    target: &'static str,
    request_id: &'a str,
    trace_id: &'a str,
    method: &'a str,
    route: &'a str,
    path: &'a str,
    status: u16,
    elapsed_ms: Millis,
    polls: u64,
    longest_poll_ms: Millis,
    busy_ms: Millis,
    cpu_ms: Millis,
    off_cpu_ms: Millis,
    switches: u64,
    queries: u64,
    rows: u64,
    commits: u64,
    db_ms: Millis,
    pool_wait_ms: Millis,
    cache_hits: u64,
    cache_misses: u64,
    bytes: u64,
}

/// Nanoseconds, written as milliseconds with three decimals.
struct Millis(u64);

impl Serialize for Millis {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64((self.0 / 1_000) as f64 / 1_000.0)
    }
}

impl AccessLog {
    pub fn new(writer: NonBlocking, format: LogFormat) -> Self {
        Self { writer, format }
    }

    /// Counts the lines that found the queue full.
    pub fn dropped_lines(&self) -> ErrorCounter {
        self.writer.error_counter()
    }

    pub fn is_enabled() -> bool {
        tracing::enabled!(target: "access", tracing::Level::INFO)
    }

    pub fn write(&self, request: &Request<'_>, cost: &Cost) {
        let mut line = Vec::with_capacity(640);
        let written = match self.format {
            LogFormat::Json => json(&mut line, request, cost),
            LogFormat::Pretty => pretty(&mut line, request, cost),
        };
        // Neither can fail on a Vec, and a queue that is full counts the drop itself.
        if written.is_ok() {
            let _ = self.writer.clone().write_all(&line);
        }
    }
}

fn timestamp() -> String {
    humantime::format_rfc3339_micros(SystemTime::now()).to_string()
}

fn json(line: &mut Vec<u8>, request: &Request<'_>, cost: &Cost) -> std::io::Result<()> {
    let fields = Line {
        timestamp: timestamp(),
        level: "INFO",
        target: "access",
        request_id: &request.ids.request,
        trace_id: &request.ids.trace,
        method: request.method,
        route: request.route,
        path: request.path,
        status: request.status,
        elapsed_ms: Millis(cost.elapsed_ns),
        polls: cost.polls,
        longest_poll_ms: Millis(cost.longest_poll_ns),
        busy_ms: Millis(cost.busy_ns),
        cpu_ms: Millis(cost.cpu_ns),
        off_cpu_ms: Millis(cost.off_cpu_ns()),
        switches: cost.switches,
        queries: cost.queries,
        rows: cost.rows,
        commits: cost.commits,
        db_ms: Millis(cost.db_ns),
        pool_wait_ms: Millis(cost.pool_wait_ns),
        cache_hits: cost.cache_hits,
        cache_misses: cost.cache_misses,
        bytes: cost.bytes,
    };
    serde_json::to_writer(&mut *line, &fields)?;
    line.push(b'\n');
    Ok(())
}

fn pretty(line: &mut Vec<u8>, request: &Request<'_>, cost: &Cost) -> std::io::Result<()> {
    let time = |ns| Duration::from_micros(ns / 1_000);
    writeln!(
        line,
        "{} {} {} {} {:?}: queries {}, rows {}, busy {:?}, cpu {:?}, off-cpu {:?}, switches {}, \
         polls {} (longest {:?}), db {:?}, pool wait {:?}, commits {}, cache {}/{}, {} bytes, \
         request {}, trace {}",
        timestamp(),
        request.method,
        request.path,
        request.status,
        time(cost.elapsed_ns),
        cost.queries,
        cost.rows,
        time(cost.busy_ns),
        time(cost.cpu_ns),
        time(cost.off_cpu_ns()),
        cost.switches,
        cost.polls,
        time(cost.longest_poll_ns),
        time(cost.db_ns),
        time(cost.pool_wait_ns),
        cost.commits,
        cost.cache_hits,
        cost.cache_hits + cost.cache_misses,
        cost.bytes,
        request.ids.request,
        request.ids.trace,
    )
}
