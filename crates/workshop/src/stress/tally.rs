//! Counts and times answers by kind.

use std::{collections::BTreeMap, time::Duration};

use hdrhistogram::Histogram;
use opentelemetry::trace::SpanContext;
use reqwest::{StatusCode, header::HeaderMap};

use super::Traces;

/// Significant digits of the histogram: three tell 100 ms from 101 ms.
const DIGITS: u8 = 3;

/// Upper bound of the histogram, above all time limits, in microseconds: values saturate there.
const LONGEST: u64 = 600_000_000;

/// Outcome of a request.
pub struct Outcome {
    /// Span of this client, if the request asked for sampling.
    pub sent: Option<SpanContext>,
    /// Headers of the answer; empty if there was none.
    pub headers: HeaderMap,
    pub status: Result<StatusCode, reqwest::Error>,
    pub took: Duration,
}

pub struct Tally {
    /// Latencies in microseconds.
    pub latency: Histogram<u64>,
    pub requests: u64,
    pub lines: u64,
    /// Failed requests, by kind of failure.
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

    /// Counts one request with this number of lines. True if they were acknowledged. A failed
    /// request counts only as a failure.
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

/// Kind of a failure, from a small fixed set.
pub fn kind(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "timeout"
    } else if error.is_connect() {
        "no connection"
    } else {
        "connection broke"
    }
}
