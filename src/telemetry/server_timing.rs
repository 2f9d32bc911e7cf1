//! The budget as a `Server-Timing` header, which browsers draw in their network panel.
//!
//! Durations are milliseconds. A description starts with its count, for programs that read it.

use axum::http::{HeaderName, HeaderValue};

use super::{
    cost::{Cost, Counter},
    digits::{push_count, push_millis},
};

pub const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// The header's text as it grows. Written by hand, because every answer carries it.
struct Text(Vec<u8>);

impl Text {
    fn time(&mut self, name: &str, nanos: u64) -> &mut Self {
        self.name(name);
        self.0.extend_from_slice(b";dur=");
        push_millis(&mut self.0, nanos);
        self
    }

    fn name(&mut self, name: &str) {
        if !self.0.is_empty() {
            self.0.extend_from_slice(b", ");
        }
        self.0.extend_from_slice(name.as_bytes());
    }

    /// Describes the entry that was begun last.
    fn count(&mut self, count: u64, of_what: &str) -> &mut Self {
        self.0.extend_from_slice(b";desc=\"");
        push_count(&mut self.0, count);
        self.0.push(b' ');
        self.0.extend_from_slice(of_what.as_bytes());
        self.0.push(b'"');
        self
    }
}

pub fn header(cost: &Cost) -> HeaderValue {
    let mut text = Text(Vec::with_capacity(320));
    text.time("total", cost.elapsed_ns).time("busy", cost.busy_ns);
    if Counter::Switches.is_measured() {
        text.time("cpu", cost.cpu_ns).time("off-cpu", cost.off_cpu_ns());
        text.name("switches");
        text.count(cost.switches, "switches");
    }
    text.time("poll", cost.longest_poll_ns).count(cost.polls, "polls, longest");
    text.time("db", cost.db_ns).count(cost.queries, "queries");
    text.name("rows");
    text.count(cost.rows, "rows");
    text.time("pool-wait", cost.pool_wait_ns);
    if cost.queue_wait_ns > 0 {
        text.time("queue-wait", cost.queue_wait_ns);
    }
    if cost.commits > 0 {
        text.name("commits");
        text.count(cost.commits, "commits");
    }
    if cost.cache_hits + cost.cache_misses > 0 {
        text.name("cache-hits");
        text.count(cost.cache_hits, "cache hits");
        text.name("cache-misses");
        text.count(cost.cache_misses, "cache misses");
    }
    // The text is digits and fixed ASCII.
    HeaderValue::from_maybe_shared(bytes::Bytes::from(text.0))
        .unwrap_or_else(|_| HeaderValue::from_static("total"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_lead_their_descriptions_and_times_are_milliseconds() {
        let cost = Cost {
            elapsed_ns: 2_012_345_678,
            busy_ns: 2_000_000_000,
            cpu_ns: 4_000_000,
            switches: 117,
            polls: 203,
            longest_poll_ns: 20_300_000,
            queries: 101,
            rows: 200,
            commits: 1,
            db_ns: 31_200_000,
            ..Cost::default()
        };
        insta::assert_snapshot!(header(&cost).to_str().unwrap(), @r#"total;dur=2012.345, busy;dur=2000.000, cpu;dur=4.000, off-cpu;dur=1996.000, switches;desc="117 switches", poll;dur=20.300;desc="203 polls, longest", db;dur=31.200;desc="101 queries", rows;desc="200 rows", pool-wait;dur=0.000, commits;desc="1 commits""#);
    }
}
