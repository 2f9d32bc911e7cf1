//! Which requests of the kept traces somebody wants to see, and the slowest of each route.

use std::{
    cmp::Reverse,
    collections::{HashMap, VecDeque},
    time::{Duration, SystemTime},
};

use opentelemetry::trace::{SpanKind, Status, TraceId};
use opentelemetry_sdk::trace::SpanData;

use super::trace::{self, Trace};

/// What a request must be like; what is not said does not matter.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// One of these route templates.
    pub routes: Option<Vec<String>>,
    pub min: Duration,
    /// The least and the greatest status.
    pub status: Option<(u16, u16)>,
    /// It was under way at or after this moment,
    pub since: Option<SystemTime>,
    /// and at or before this one.
    pub until: Option<SystemTime>,
}

/// What was found.
pub struct Selection {
    /// Newest first.
    pub requests: Vec<Request>,
    /// Slowest first.
    pub routes: Vec<Route>,
    /// Requests that match, shown or not.
    pub matching: usize,
}

/// A request, or what else began a trace here.
#[derive(Clone, Debug)]
pub struct Request {
    pub trace: TraceId,
    pub name: String,
    pub method: Option<String>,
    pub route: Option<String>,
    pub status: Option<u16>,
    pub started: SystemTime,
    pub duration: Duration,
    pub spans: usize,
    pub dropped_spans: u64,
    pub queries: usize,
    pub is_error: bool,
    /// False while only parts of it have ended.
    pub is_finished: bool,
}

/// The requests of one route that match.
pub struct Route {
    pub route: String,
    pub requests: usize,
    pub mean: Duration,
    pub slowest: Duration,
    /// Which one that was.
    pub trace: TraceId,
    pub most_queries: usize,
}

/// A request found: the span that it is, or the first span of what is still under way.
#[derive(Clone, Copy)]
struct Found<'a> {
    trace: &'a Trace,
    span: &'a SpanData,
    is_finished: bool,
}

impl Filter {
    fn matches(&self, found: Found<'_>) -> bool {
        let Found { span, is_finished, .. } = found;
        let is_on = |routes: &Vec<String>| {
            is_finished && trace::route(span).is_some_and(|route| routes.iter().any(|r| r == route))
        };
        let has = |(least, greatest): (u16, u16)| {
            is_finished && trace::status(span).is_some_and(|s| (least..=greatest).contains(&s))
        };
        self.routes.as_ref().is_none_or(is_on)
            && self.status.is_none_or(has)
            && trace::duration(span) >= self.min
            && self.since.is_none_or(|since| span.end_time >= since)
            && self.until.is_none_or(|until| span.start_time <= until)
    }
}

impl Selection {
    pub fn of(traces: &VecDeque<Trace>, filter: &Filter, limit: usize) -> Self {
        let mut found: Vec<_> =
            traces.iter().flat_map(Found::all).filter(|found| filter.matches(*found)).collect();
        let matching = found.len();
        let routes = Route::all(&found);
        found.sort_by_key(|found| Reverse(found.span.start_time));
        found.truncate(limit);
        Self { requests: found.into_iter().map(Request::from).collect(), routes, matching }
    }
}

impl<'a> Found<'a> {
    fn all(trace: &'a Trace) -> impl Iterator<Item = Self> {
        let finished = trace.entries().map(move |span| Self { trace, span, is_finished: true });
        let first = if trace.entries().next().is_none() {
            trace.spans.iter().min_by_key(|span| span.start_time)
        } else {
            None
        };
        finished.chain(first.map(move |span| Self { trace, span, is_finished: false }))
    }
}

impl From<Found<'_>> for Request {
    fn from(Found { trace, span, is_finished }: Found<'_>) -> Self {
        let text = |key| trace::text(span, key).map(str::to_owned);
        Self {
            trace: trace.id,
            name: span.name.clone().into_owned(),
            method: text("http.request.method"),
            route: text("http.route"),
            status: trace::status(span),
            started: span.start_time,
            duration: trace::duration(span),
            spans: trace.spans.len(),
            dropped_spans: trace.dropped,
            queries: trace.queries,
            is_error: matches!(span.status, Status::Error { .. }),
            is_finished,
        }
    }
}

impl Route {
    /// Of what is a request; slowest first.
    fn all(found: &[Found<'_>]) -> Vec<Self> {
        let mut by_route: HashMap<&str, Vec<Found<'_>>> = HashMap::new();
        for found in found.iter().filter(|found| found.span.span_kind == SpanKind::Server) {
            if let Some(route) = trace::route(found.span) {
                by_route.entry(route).or_default().push(*found);
            }
        }
        let mut routes: Vec<_> =
            by_route.into_iter().filter_map(|(route, found)| Self::of(route, &found)).collect();
        routes.sort_by_key(|route| Reverse(route.slowest));
        routes
    }

    fn of(route: &str, found: &[Found<'_>]) -> Option<Self> {
        let slowest = found.iter().max_by_key(|found| trace::duration(found.span))?;
        let total: Duration = found.iter().map(|found| trace::duration(found.span)).sum();
        Some(Self {
            route: route.to_owned(),
            requests: found.len(),
            mean: total / u32::try_from(found.len()).unwrap_or(u32::MAX),
            slowest: trace::duration(slowest.span),
            trace: slowest.trace.id,
            most_queries: found.iter().map(|f| f.trace.queries).max().unwrap_or(0),
        })
    }
}
