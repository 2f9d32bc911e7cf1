//! Request cost as a `Server-Timing` header, which browsers draw in their network panel.
//!
//! Durations are milliseconds. A description starts with its count, for programs that read it.

use std::cell::RefCell;

use axum::http::{HeaderName, HeaderValue};

use super::{
    cost::{Cost, Counter},
    digits::{push_count, push_millis},
};

pub const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

thread_local! {
    /// Reused buffer of the text; the header takes a copy of just its size.
    static TEXT: RefCell<Text> = const { RefCell::new(Text(Vec::new())) };
}

/// Header text under construction. Formatted by hand, because every answer carries it.
struct Text(Vec<u8>);

impl Text {
    fn raw(&mut self, text: &str) -> &mut Self {
        self.0.extend_from_slice(text.as_bytes());
        self
    }

    fn millis(&mut self, before: &str, nanos: u64) -> &mut Self {
        push_millis(&mut self.raw(before).0, nanos);
        self
    }

    fn count(&mut self, before: &str, count: u64, after: &str) -> &mut Self {
        push_count(&mut self.raw(before).0, count);
        self.raw(after)
    }
}

pub fn header(cost: &Cost) -> HeaderValue {
    TEXT.with_borrow_mut(|text| {
        text.0.clear();
        write(text, cost);
        // The text is digits and fixed ASCII.
        HeaderValue::from_bytes(&text.0).unwrap_or_else(|_| HeaderValue::from_static("total"))
    })
}

fn write(text: &mut Text, cost: &Cost) {
    text.millis("total;dur=", cost.elapsed_ns).millis(", busy;dur=", cost.busy_ns);
    if Counter::Switches.is_measured() {
        text.millis(", cpu;dur=", cost.cpu_ns).millis(", off-cpu;dur=", cost.off_cpu_ns()).count(
            ", switches;desc=\"",
            cost.switches,
            " switches\"",
        );
    }
    text.millis(", poll;dur=", cost.longest_poll_ns)
        .count(";desc=\"", cost.polls, " polls, longest\"")
        .millis(", db;dur=", cost.db_ns)
        .count(";desc=\"", cost.queries, " queries\"")
        .count(", rows;desc=\"", cost.rows, " rows\"")
        .millis(", pool-wait;dur=", cost.pool_wait_ns);
    if cost.queue_wait_ns > 0 {
        text.millis(", queue-wait;dur=", cost.queue_wait_ns);
    }
    if cost.commits > 0 {
        text.count(", commits;desc=\"", cost.commits, " commits\"");
    }
    if cost.cache_hits + cost.cache_misses > 0 {
        text.count(", cache-hits;desc=\"", cost.cache_hits, " cache hits\"").count(
            ", cache-misses;desc=\"",
            cost.cache_misses,
            " cache misses\"",
        );
    }
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
