//! The budget as a `Server-Timing` header, which browsers draw in their network panel.
//!
//! Durations are milliseconds. A description starts with its count, for programs that read it.

use std::{fmt::Write, time::Duration};

use axum::http::{HeaderName, HeaderValue};

use super::budget::Cost;

pub const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// Milliseconds with three decimals, without the cost of formatting a float.
struct Millis(u64);

impl std::fmt::Display for Millis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let micros = Duration::from_nanos(self.0).as_micros();
        write!(f, "{}.{:03}", micros / 1_000, micros % 1_000)
    }
}

pub fn header(cost: &Cost) -> HeaderValue {
    let mut text = String::with_capacity(320);
    // Writing to a String can't fail.
    let _ = write!(
        text,
        "total;dur={}, busy;dur={}, cpu;dur={}, off-cpu;dur={}, \
         switches;desc=\"{} switches\", poll;dur={};desc=\"{} polls, longest\", \
         db;dur={};desc=\"{} queries\", rows;desc=\"{} rows\", pool-wait;dur={}",
        Millis(cost.elapsed_ns),
        Millis(cost.busy_ns),
        Millis(cost.cpu_ns),
        Millis(cost.off_cpu_ns()),
        cost.switches,
        Millis(cost.longest_poll_ns),
        cost.polls,
        Millis(cost.db_ns),
        cost.queries,
        cost.rows,
        Millis(cost.pool_wait_ns),
    );
    if cost.commits > 0 {
        let _ = write!(text, ", commits;desc=\"{} commits\"", cost.commits);
    }
    if cost.cache_hits + cost.cache_misses > 0 {
        let _ =
            write!(text, ", cache;desc=\"{} hits, {} misses\"", cost.cache_hits, cost.cache_misses);
    }
    // The text is digits and fixed ASCII.
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("total"))
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
