//! Access log: one line for each request, with its cost. The line is formatted by hand: formatting
//! a tracing event as JSON took nearly half of the rate of a small answer.

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
    shown::{is_plain, shown},
};
use crate::settings::LogFormat;

#[derive(Clone)]
pub struct AccessLog {
    batch: Arc<LineBatch>,
    format: LogFormat,
}

thread_local! {
    /// Buffer of the line under construction. It is reused, so that no line allocates.
    static LINE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Fields of the line that describe the request.
pub struct Request<'a> {
    pub ids: &'a Ids,
    pub method: &'a str,
    pub route: &'a str,
    /// Path without the query, which may hold secrets.
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
            // Neither format can fail on a Vec.
            if written.is_ok() {
                self.batch.push(line);
            }
        });
    }
}

fn timestamp() -> humantime::Rfc3339Timestamp {
    humantime::format_rfc3339_micros(SystemTime::now())
}

/// JSON text under construction. Keys include the punctuation around them: each is one copy.
struct Json<'a>(&'a mut Vec<u8>);

impl Json<'_> {
    fn raw(&mut self, text: &str) -> &mut Self {
        self.0.extend_from_slice(text.as_bytes());
        self
    }

    fn count(&mut self, key: &str, count: u64) -> &mut Self {
        push_count(self.raw(key).0, count);
        self
    }

    fn millis(&mut self, key: &str, nanos: u64) -> &mut Self {
        push_millis(self.raw(key).0, nanos);
        self
    }

    /// Adds text that may need escaping.
    fn text(&mut self, key: &str, text: &str) -> std::io::Result<&mut Self> {
        if is_plain(text) {
            serde_json::to_writer(&mut *self.raw(key).0, text)?;
            return Ok(self);
        }
        let json = serde_json::to_string(text)?;
        Ok(self.raw(key).raw(&shown(&json)))
    }
}

fn json(line: &mut Vec<u8>, request: &Request<'_>, cost: &Cost) -> std::io::Result<()> {
    write!(line, r#"{{"timestamp":"{}","level":"INFO","target":"access""#, timestamp())?;
    let mut json = Json(line);
    // Ids and methods have no character that needs escaping.
    json.raw(r#","request_id":""#).raw(&request.ids.request);
    json.raw(r#"","trace_id":""#).raw(&request.ids.trace);
    json.raw(r#"","method":""#).raw(request.method);
    json.text(r#"","route":"#, request.route)?.text(r#","path":"#, request.path)?;
    json.count(r#","status":"#, u64::from(request.status))
        .millis(r#","elapsed_ms":"#, cost.elapsed_ns)
        .count(r#","polls":"#, cost.polls)
        .millis(r#","longest_poll_ms":"#, cost.longest_poll_ns)
        .millis(r#","busy_ms":"#, cost.busy_ns);
    if Counter::Switches.is_measured() {
        json.millis(r#","cpu_ms":"#, cost.cpu_ns)
            .millis(r#","off_cpu_ms":"#, cost.off_cpu_ns())
            .count(r#","switches":"#, cost.switches);
    }
    json.count(r#","queries":"#, cost.queries)
        .count(r#","rows":"#, cost.rows)
        .count(r#","commits":"#, cost.commits)
        .millis(r#","db_ms":"#, cost.db_ns)
        .millis(r#","pool_wait_ms":"#, cost.pool_wait_ns)
        .millis(r#","queue_wait_ms":"#, cost.queue_wait_ns)
        .count(r#","cache_hits":"#, cost.cache_hits)
        .count(r#","cache_misses":"#, cost.cache_misses)
        .count(r#","bytes":"#, cost.bytes);
    json.raw("}\n");
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
        shown(request.path),
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
