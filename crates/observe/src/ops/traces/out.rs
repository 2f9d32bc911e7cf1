//! The list as JSON. Durations are milliseconds.

use std::time::Duration;

use serde::Serialize;

use super::select::{Route, Selection};
use crate::{
    labels::{Labels, RouteLabels},
    traces::store::{Dropped, Holding, trace::Request},
};

#[derive(Serialize)]
pub struct ListOut<'a> {
    /// Newest first.
    requests: Vec<RequestOut<'a>>,
    /// Requests that match, listed or not.
    matching: usize,
    /// Slowest first.
    slowest_by_route: Vec<RouteOut<'a>>,
    kept: KeptOut,
}

#[derive(Serialize)]
struct RequestOut<'a> {
    trace_id: String,
    name: &'a str,
    method: Option<&'a str>,
    route: Option<&'a str>,
    #[serde(flatten)]
    labels: &'a Labels,
    status: Option<u16>,
    started: String,
    duration_ms: f64,
    queries: usize,
    spans: usize,
    dropped_spans: u64,
    is_error: bool,
    is_finished: bool,
}

#[derive(Serialize)]
struct RouteOut<'a> {
    route: &'a str,
    requests: usize,
    mean_ms: f64,
    slowest_ms: f64,
    slowest_trace_id: String,
    most_queries: usize,
}

#[derive(Serialize)]
struct KeptOut {
    traces: usize,
    spans: usize,
    bytes: usize,
    max_bytes: usize,
    dropped_spans: DroppedOut,
}

/// Dropped spans since the start, by reason.
#[derive(Serialize)]
struct DroppedOut {
    evicted: u64,
    late: u64,
    trace_full: u64,
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

impl<'a> ListOut<'a> {
    pub fn new(found: &'a Selection, holding: &Holding, labels: &'a RouteLabels) -> Self {
        Self {
            requests: found.requests.iter().map(|r| RequestOut::new(r, labels)).collect(),
            matching: found.matching,
            slowest_by_route: found.routes.iter().map(RouteOut::new).collect(),
            kept: KeptOut::new(holding),
        }
    }
}

impl<'a> RequestOut<'a> {
    fn new(request: &'a Request, labels: &'a RouteLabels) -> Self {
        let summary = &*request.summary;
        Self {
            trace_id: request.trace.to_string(),
            name: &summary.name,
            method: summary.method.as_deref(),
            route: summary.route.as_deref(),
            labels: labels.of(summary.route.as_deref()),
            status: summary.status,
            started: humantime::format_rfc3339_micros(summary.started).to_string(),
            duration_ms: millis(summary.duration),
            queries: request.queries,
            spans: request.spans,
            dropped_spans: request.dropped_spans,
            is_error: summary.is_error,
            is_finished: summary.is_finished,
        }
    }
}

impl<'a> RouteOut<'a> {
    fn new(route: &'a Route) -> Self {
        Self {
            route: &route.route,
            requests: route.requests,
            mean_ms: millis(route.mean),
            slowest_ms: millis(route.slowest),
            slowest_trace_id: route.trace.to_string(),
            most_queries: route.most_queries,
        }
    }
}

impl KeptOut {
    fn new(holding: &Holding) -> Self {
        let Dropped { evicted, late, trace_full } = holding.dropped;
        Self {
            traces: holding.traces,
            spans: holding.spans,
            bytes: holding.bytes,
            max_bytes: holding.max_bytes,
            dropped_spans: DroppedOut { evicted, late, trace_full },
        }
    }
}
