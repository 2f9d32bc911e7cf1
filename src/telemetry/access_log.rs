//! One line for each request, with its budget. Written by hand rather than as an event: formatting an
//! event as JSON took nearly half of the rate of a tiny answer, and every request pays.

use std::{
    cell::RefCell,
    io::Write,
    sync::Arc,
    time::{Duration, SystemTime},
};

use super::{
    cost::{Cost, Counter},
    digits::{push_count, push_millis},
    line_batch::LineBatch,
    request_id::Ids,
};
use crate::config::LogFormat;

/// The status of a request whose client went away before the answer, as nginx logs it.
pub const CLIENT_CLOSED_REQUEST: u16 = 499;

#[derive(Clone)]
pub struct AccessLog {
    batch: Arc<LineBatch>,
    format: LogFormat,
}

thread_local! {
    /// Where a line is written before it is handed over; kept, so that no line allocates.
    static LINE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
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

impl AccessLog {
    pub fn new(batch: Arc<LineBatch>, format: LogFormat) -> Self {
        Self { batch, format }
    }

    /// Waits until every line so far is written, or a second has passed.
    pub fn flush(&self) {
        self.batch.flush();
    }

    pub fn is_enabled() -> bool {
        tracing::enabled!(target: "access", tracing::Level::INFO)
    }

    pub fn write(&self, request: &Request<'_>, cost: &Cost) {
        LINE.with_borrow_mut(|line| {
            line.clear();
            let written = match self.format {
                LogFormat::Json => json(line, request, cost),
                LogFormat::Pretty => pretty(line, request, cost),
            };
            // Neither can fail on a Vec.
            if written.is_ok() {
                self.batch.push(line);
            }
        });
    }
}

fn timestamp() -> humantime::Rfc3339Timestamp {
    humantime::format_rfc3339_micros(SystemTime::now())
}

/// A JSON object as it grows.
struct Object<'a>(&'a mut Vec<u8>);

impl Object<'_> {
    fn key(&mut self, key: &str) {
        self.0.extend_from_slice(b",\"");
        self.0.extend_from_slice(key.as_bytes());
        self.0.extend_from_slice(b"\":");
    }

    fn count(&mut self, key: &str, count: u64) {
        self.key(key);
        push_count(self.0, count);
    }

    fn millis(&mut self, key: &str, nanos: u64) {
        self.key(key);
        push_millis(self.0, nanos);
    }

    /// Text that may hold anything.
    fn text(&mut self, key: &str, text: &str) -> std::io::Result<()> {
        self.key(key);
        Ok(serde_json::to_writer(&mut *self.0, text)?)
    }
}

fn json(line: &mut Vec<u8>, request: &Request<'_>, cost: &Cost) -> std::io::Result<()> {
    write!(line, "{{\"timestamp\":\"{}\",\"level\":\"INFO\",\"target\":\"access\"", timestamp())?;
    let mut object = Object(line);
    object.text("request_id", &request.ids.request)?;
    object.text("trace_id", &request.ids.trace)?;
    object.text("method", request.method)?;
    object.text("route", request.route)?;
    object.text("path", request.path)?;
    object.count("status", u64::from(request.status));
    object.millis("elapsed_ms", cost.elapsed_ns);
    object.count("polls", cost.polls);
    object.millis("longest_poll_ms", cost.longest_poll_ns);
    object.millis("busy_ms", cost.busy_ns);
    if Counter::Switches.is_measured() {
        object.millis("cpu_ms", cost.cpu_ns);
        object.millis("off_cpu_ms", cost.off_cpu_ns());
        object.count("switches", cost.switches);
    }
    object.count("queries", cost.queries);
    object.count("rows", cost.rows);
    object.count("commits", cost.commits);
    object.millis("db_ms", cost.db_ns);
    object.millis("pool_wait_ms", cost.pool_wait_ns);
    object.millis("queue_wait_ms", cost.queue_wait_ns);
    object.count("cache_hits", cost.cache_hits);
    object.count("cache_misses", cost.cache_misses);
    object.count("bytes", cost.bytes);
    line.extend_from_slice(b"}\n");
    Ok(())
}

fn pretty(line: &mut Vec<u8>, request: &Request<'_>, cost: &Cost) -> std::io::Result<()> {
    let time = |ns| Duration::from_micros(ns / 1_000);
    let of_thread = if Counter::Switches.is_measured() {
        let (cpu, off_cpu) = (time(cost.cpu_ns), time(cost.off_cpu_ns()));
        format!(", cpu {cpu:?}, off-cpu {off_cpu:?}, switches {}", cost.switches)
    } else {
        String::new()
    };
    writeln!(
        line,
        "{} {} {} {} {:?}: queries {}, rows {}, busy {:?}{of_thread}, \
         polls {} (longest {:?}), db {:?}, pool wait {:?}, queue wait {:?}, commits {}, cache {}/{}, {} bytes, \
         request {}, trace {}",
        timestamp(),
        request.method,
        request.path,
        request.status,
        time(cost.elapsed_ns),
        cost.queries,
        cost.rows,
        time(cost.busy_ns),
        cost.polls,
        time(cost.longest_poll_ns),
        time(cost.db_ns),
        time(cost.pool_wait_ns),
        time(cost.queue_wait_ns),
        cost.commits,
        cost.cache_hits,
        cost.cache_hits + cost.cache_misses,
        cost.bytes,
        request.ids.request,
        request.ids.trace,
    )
}
