//! What k6/lab.js measures of each answer, for the thresholds of a gate.

use std::collections::BTreeMap;

use observe::cost::Counter;
use serde_json::Value;

use crate::{evidence::Answer, lab::LoadedLab};

/// A metric of k6, with its samples.
pub enum Metric<'a> {
    Trend(&'a [f64]),
    Rate { hits: u64, of: u64 },
    Counter { count: u64, seconds: f64 },
}

/// Samples of one lane.
pub struct Samples {
    answer: Answer,
    /// Trends of the request cost, by name.
    trends: BTreeMap<&'static str, Vec<f64>>,
    read: Vec<Read>,
    durations: Vec<f64>,
    statuses: BTreeMap<u16, u64>,
    checks: [u64; 2],
    requests: u64,
    failed: u64,
    pub dropped: u64,
}

/// Place of a counter in the Server-Timing header.
struct Read {
    trend: &'static str,
    label: &'static str,
    is_count: bool,
    is_always_shown: bool,
}

/// An answer as k6 sees it. Without one the status is 0.
pub struct Seen<'a> {
    pub status: u16,
    pub ms: f64,
    pub server_timing: Option<&'a str>,
    pub body: &'a [u8],
}

impl Samples {
    pub fn of(loaded: &LoadedLab) -> Self {
        let own = loaded.measurements("slow").map_or(&[][..], |kept| kept.own_counters());
        let read = |counter: &Counter| {
            let row = counter.row()?;
            let timing = row.timing.as_ref()?;
            Some(Read {
                trend: row.names.trend,
                label: timing.label,
                is_count: timing.noun.is_some(),
                is_always_shown: row.is_always_shown,
            })
        };
        let read: Vec<_> = Counter::ALL.iter().chain(own).filter_map(read).collect();
        Self {
            answer: loaded.evidence.answer.clone(),
            trends: read.iter().map(|read| (read.trend, Vec::new())).collect(),
            read,
            durations: Vec::new(),
            statuses: BTreeMap::new(),
            checks: [0; 2],
            requests: 0,
            failed: 0,
            dropped: 0,
        }
    }

    /// Adds a finished request.
    pub fn add(&mut self, seen: &Seen<'_>) {
        let is_allowed = self.answer.allows(seen.status);
        self.requests += 1;
        self.failed += u64::from(!is_allowed);
        self.durations.push(seen.ms);
        *self.statuses.entry(seen.status).or_default() += 1;
        for is_right in [is_allowed, seen.server_timing.is_some(), has_json(seen)] {
            self.checks[usize::from(is_right)] += 1;
        }
        let Some(header) = seen.server_timing else { return };
        let entries = entries(header);
        for Read { trend, label, is_count, is_always_shown } in &self.read {
            let value = match entries.get(label) {
                Some((duration, count)) => {
                    if *is_count {
                        *count
                    } else {
                        *duration
                    }
                }
                // The server leaves out zeros, but not of these: its system can't measure it.
                None if *is_always_shown => continue,
                None => 0.0,
            };
            self.trends.entry(trend).or_default().push(value);
        }
    }

    /// A metric by its name in k6; None for one that is not measured here.
    pub fn metric(&self, name: &str, seconds: f64) -> Option<Metric<'_>> {
        let counter = |count| Metric::Counter { count, seconds };
        let [wrong, right] = self.checks;
        Some(match name {
            "http_req_duration" | "iteration_duration" => Metric::Trend(&self.durations),
            "http_reqs" | "iterations" => counter(self.requests),
            "dropped_iterations" => counter(self.dropped),
            "http_req_failed" => Metric::Rate { hits: self.failed, of: self.requests },
            "checks" => Metric::Rate { hits: right, of: right + wrong },
            name => match name.strip_prefix("status_") {
                Some(status) => {
                    let hits = self.statuses.get(&status.parse().ok()?).copied().unwrap_or(0);
                    Metric::Rate { hits, of: self.requests }
                }
                None => Metric::Trend(self.trends.get(name)?),
            },
        })
    }
}

/// Duration and count of each entry of a Server-Timing header, by label.
fn entries(header: &str) -> BTreeMap<&str, (f64, f64)> {
    let entry = |entry: &'_ str| -> (f64, f64) {
        let value = |key: &str| {
            let (_, rest) = entry.split_once(key)?;
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
            rest[..end].parse().ok()
        };
        (value(";dur=").unwrap_or(0.0), value(";desc=\"").unwrap_or(0.0))
    };
    let label = |text: &'_ str| text.find(';').unwrap_or(text.len());
    // A description may hold the separator; what follows it there is no label of ours.
    header.split(", ").map(|text| (&text[..label(text)], entry(text))).collect()
}

/// True if the body is JSON with something in it, or rightly empty.
fn has_json(seen: &Seen<'_>) -> bool {
    if [204, 304].contains(&seen.status) {
        return seen.body.is_empty();
    }
    match serde_json::from_slice(seen.body) {
        Ok(Value::Array(items)) => !items.is_empty(),
        Ok(Value::Object(fields)) => !fields.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_as_k6_reads_it() {
        let header = r#"total;dur=2012.345, poll;dur=20.300;desc="203 polls, longest", db;dur=31.200;desc="101 queries", jobs_lost;desc="2 jobs_lost""#;
        let entries = entries(header);
        assert_eq!(entries["total"], (2012.345, 0.0));
        assert_eq!(entries["poll"], (20.3, 203.0));
        assert_eq!(entries["db"], (31.2, 101.0));
        assert_eq!(entries["jobs_lost"], (0.0, 2.0));
    }

    #[test]
    fn only_json_with_something_in_it_is_a_body() {
        let seen = |status, body| Seen { status, ms: 1.0, server_timing: None, body };
        assert!(has_json(&seen(200, b"[1]")) && has_json(&seen(503, b"{\"a\":1}")));
        for body in [&b"[]"[..], b"{}", b"null", b"1", b"", b"<html>"] {
            assert!(!has_json(&seen(200, body)), "{body:?}");
        }
        assert!(has_json(&seen(204, b"")) && !has_json(&seen(204, b"[1]")));
    }
}
