//! Counts answers by kind, and how long each took.

use std::{collections::BTreeMap, time::Duration};

use hdrhistogram::Histogram;
use opentelemetry::trace::SpanContext;
use reqwest::{StatusCode, header::HeaderMap};

use super::Traces;

/// Three digits tell 100 ms from 101 ms.
const DIGITS: u8 = 3;

/// Longer than any request may take, in microseconds. What saturates at a bound must have a sane one.
const LONGEST: u64 = 600_000_000;

/// What came of a request.
pub struct Outcome {
    /// Our span, if the request asked that its trace is kept.
    pub sent: Option<SpanContext>,
    /// Of the answer; empty if there was none.
    pub headers: HeaderMap,
    pub status: Result<StatusCode, reqwest::Error>,
    pub took: Duration,
}

pub struct Tally {
    /// In microseconds.
    pub latency: Histogram<u64>,
    pub requests: u64,
    pub lines: u64,
    /// Requests that failed, by what was wrong.
    pub failures: BTreeMap<String, u64>,
    pub traces: Traces,
    pub elapsed: Duration,
}

impl Tally {
    pub fn new() -> Result<Self, String> {
        let latency = Histogram::new_with_max(LONGEST, DIGITS).map_err(|e| e.to_string())?;
        let (failures, traces) = (BTreeMap::new(), Traces::default());
        Ok(Self { latency, requests: 0, lines: 0, failures, traces, elapsed: Duration::ZERO })
    }

    /// One request with so many lines, and whether they were acknowledged. What failed counts for the
    /// failures alone.
    pub fn add(&mut self, lines: u64, outcome: &Outcome) -> bool {
        self.requests += 1;
        let failure = match &outcome.status {
            Ok(StatusCode::OK) => {
                self.lines += lines;
                let micros = u64::try_from(outcome.took.as_micros()).unwrap_or(u64::MAX);
                self.latency.saturating_record(micros);
                self.traces.acknowledged(outcome);
                return true;
            }
            Ok(status) => format!("status {}", status.as_u16()),
            Err(error) => kind(error).to_owned(),
        };
        self.traces.failed(outcome, &failure);
        self.fail(failure, 1);
        false
    }

    pub fn fail(&mut self, kind: String, requests: u64) {
        *self.failures.entry(kind).or_default() += requests;
    }

    pub fn failed(&self) -> u64 {
        self.failures.values().sum()
    }
}

/// What went wrong, in one of few words.
pub fn kind(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "timeout"
    } else if error.is_connect() {
        "no connection"
    } else {
        "connection broke"
    }
}
