//! Selects requests of the kept traces by a filter, and the slowest of each route.

use std::{
    cmp::Reverse,
    collections::{HashMap, VecDeque},
    time::{Duration, SystemTime},
};

use opentelemetry::trace::TraceId;

use super::{
    bundle::Bundle,
    packed::{Item, Raw, View},
    trace::{METHOD, ROUTE, STATUS},
};

/// Conditions for a request; a condition that is not set always holds.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// One of these route templates.
    pub routes: Option<Vec<String>>,
    pub min: Duration,
    /// Least and greatest status.
    pub status: Option<(u16, u16)>,
    /// Moment at or after which the request was still under way.
    pub since: Option<SystemTime>,
    /// Moment at or before which the request had started.
    pub until: Option<SystemTime>,
}

/// Requests that match a filter.
pub struct Selection {
    /// Newest first.
    pub requests: Vec<Request>,
    /// Slowest first.
    pub routes: Vec<Route>,
    /// Requests that match, shown or not.
    pub matching: usize,
}

/// Request, or another span that began a trace here.
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

/// Statistics of the matching requests of one route.
pub struct Route {
    pub route: String,
    pub requests: usize,
    pub mean: Duration,
    pub slowest: Duration,
    /// Trace of the slowest request.
    pub trace: TraceId,
    pub most_queries: usize,
}

impl Filter {
    fn matches(&self, request: &Request) -> bool {
        let Request { is_finished, started, duration, .. } = *request;
        let is_on = |routes: &Vec<String>| {
            is_finished && request.route.as_ref().is_some_and(|route| routes.contains(route))
        };
        let has = |(least, greatest): (u16, u16)| {
            is_finished && request.status.is_some_and(|s| (least..=greatest).contains(&s))
        };
        self.routes.as_ref().is_none_or(is_on)
            && self.status.is_none_or(has)
            && duration >= self.min
            && self.since.is_none_or(|since| started + duration >= since)
            && self.until.is_none_or(|until| started <= until)
    }
}

impl Selection {
    pub fn of(traces: &VecDeque<Bundle>, filter: &Filter, limit: usize) -> Self {
        let all = traces.iter().flat_map(Request::all);
        let mut requests: Vec<_> = all.filter(|request| filter.matches(request)).collect();
        let matching = requests.len();
        let routes = Route::all(&requests);
        requests.sort_by_key(|request| Reverse(request.started));
        requests.truncate(limit);
        Self { requests, routes, matching }
    }
}

impl Request {
    fn all(of: &Bundle) -> impl Iterator<Item = Self> {
        let entries = || of.views().filter(|view| view.is_entry());
        let first = match entries().next() {
            None => of.views().min_by_key(|view| view.began()),
            Some(_) => None,
        };
        let finished = entries().map(|entry| Self::new(of, entry, true));
        finished.chain(first.map(|part| Self::new(of, part, false)))
    }

    /// Reads a request from its span, or from the first span of one that is under way.
    fn new(of: &Bundle, span: View<'_>, is_finished: bool) -> Self {
        let mut request = Self {
            trace: of.id,
            name: String::new(),
            method: None,
            route: None,
            status: None,
            started: span.began(),
            // The clock may have been set back in between.
            duration: span.ended().duration_since(span.began()).unwrap_or_default(),
            spans: of.spans,
            dropped_spans: of.dropped,
            queries: of.queries,
            is_error: false,
            is_finished,
        };
        for item in span.items() {
            match item {
                Item::Name(name) => name.clone_into(&mut request.name),
                Item::Attribute(METHOD, Raw::Text(method)) => {
                    request.method = Some(method.to_owned());
                }
                Item::Attribute(ROUTE, Raw::Text(route)) => request.route = Some(route.to_owned()),
                Item::Attribute(STATUS, Raw::Int(status)) => {
                    request.status = u16::try_from(status).ok();
                }
                Item::Error(_) => request.is_error = true,
                _ => {}
            }
        }
        request
    }
}

impl Route {
    /// Statistics of the requests by route, slowest first.
    fn all(requests: &[Request]) -> Vec<Self> {
        let mut by_route: HashMap<&str, Vec<&Request>> = HashMap::new();
        for request in requests {
            if let Some(route) = &request.route {
                by_route.entry(route).or_default().push(request);
            }
        }
        let mut routes: Vec<_> =
            by_route.into_iter().filter_map(|(route, of)| Self::of(route, &of)).collect();
        routes.sort_by_key(|route| Reverse(route.slowest));
        routes
    }

    fn of(route: &str, requests: &[&Request]) -> Option<Self> {
        let slowest = requests.iter().max_by_key(|request| request.duration)?;
        let total: Duration = requests.iter().map(|request| request.duration).sum();
        Some(Self {
            route: route.to_owned(),
            requests: requests.len(),
            mean: total / u32::try_from(requests.len()).unwrap_or(u32::MAX),
            slowest: slowest.duration,
            trace: slowest.trace,
            most_queries: requests.iter().map(|request| request.queries).max().unwrap_or(0),
        })
    }
}
