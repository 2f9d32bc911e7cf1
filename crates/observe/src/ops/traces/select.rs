//! Selects requests of the kept traces by a filter, and the slowest of each route.

use std::{
    cmp::Reverse,
    collections::HashMap,
    time::{Duration, SystemTime},
};

use opentelemetry::trace::TraceId;

use crate::traces::store::trace::{Request, Summary};

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
    fn matches(&self, request: &Summary) -> bool {
        let Summary { is_finished, started, duration, .. } = *request;
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
    pub fn of(mut requests: Vec<Request>, filter: &Filter, limit: usize) -> Self {
        requests.retain(|request| filter.matches(&request.summary));
        let matching = requests.len();
        let routes = Route::all(&requests);
        requests.sort_by_key(|request| Reverse(request.summary.started));
        requests.truncate(limit);
        Self { requests, routes, matching }
    }
}

impl Route {
    /// Statistics of the requests by route, slowest first.
    fn all(requests: &[Request]) -> Vec<Self> {
        let mut by_route: HashMap<&str, Vec<&Request>> = HashMap::new();
        for request in requests {
            if let Some(route) = &request.summary.route {
                by_route.entry(route).or_default().push(request);
            }
        }
        let mut routes: Vec<_> =
            by_route.into_iter().filter_map(|(route, of)| Self::of(route, &of)).collect();
        routes.sort_by_key(|route| Reverse(route.slowest));
        routes
    }

    fn of(route: &str, requests: &[&Request]) -> Option<Self> {
        let slowest = requests.iter().max_by_key(|request| request.summary.duration)?;
        let total: Duration = requests.iter().map(|request| request.summary.duration).sum();
        Some(Self {
            route: route.to_owned(),
            requests: requests.len(),
            mean: total / u32::try_from(requests.len()).unwrap_or(u32::MAX),
            slowest: slowest.summary.duration,
            trace: slowest.trace,
            most_queries: requests.iter().map(|request| request.queries).max().unwrap_or(0),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::UNIX_EPOCH};

    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    /// Request number `n`, which began after `n` minutes and took `n` seconds.
    fn request(n: u64, route: &str, status: Option<u16>, queries: usize) -> Request {
        let summary = Summary {
            name: format!("GET {route}"),
            method: Some("GET".to_owned()),
            route: Some(route.to_owned()),
            status,
            started: at(60 * n),
            duration: Duration::from_secs(n),
            is_error: false,
            is_finished: status.is_some(),
        };
        let trace = TraceId::from(u128::from(n));
        Request { trace, summary: Arc::new(summary), spans: 1, dropped_spans: 0, queries }
    }

    fn all() -> Vec<Request> {
        vec![
            request(2, "/fast", Some(200), 1),
            request(3, "/slow", Some(503), 101),
            request(1, "/slow", Some(200), 30),
            request(4, "/slow", None, 2),
        ]
    }

    fn found(filter: &Filter) -> Vec<u128> {
        let found = Selection::of(all(), filter, 10).requests;
        found.iter().map(|r| u128::from_be_bytes(r.trace.to_bytes())).collect()
    }

    #[test]
    fn requests_are_found_by_what_they_were() {
        let routes = Some(vec!["/slow".to_owned()]);
        assert_eq!(found(&Filter::default()), [4, 3, 2, 1]);
        assert_eq!(found(&Filter { routes, ..Filter::default() }), [3, 1], "one is under way");
        assert_eq!(found(&Filter { status: Some((200, 200)), ..Filter::default() }), [2, 1]);
        assert_eq!(found(&Filter { status: Some((500, 599)), ..Filter::default() }), [3]);
        let min = Duration::from_secs(2);
        assert_eq!(found(&Filter { min, ..Filter::default() }), [4, 3, 2]);
        assert_eq!(found(&Filter { until: Some(at(120)), ..Filter::default() }), [2, 1]);
        assert_eq!(found(&Filter { since: Some(at(122)), ..Filter::default() }), [4, 3, 2]);
        assert_eq!(found(&Filter { since: Some(at(123)), ..Filter::default() }), [4, 3]);
    }

    #[test]
    fn routes_are_those_of_all_that_match_listed_or_not() {
        let one = Selection::of(all(), &Filter::default(), 1);
        assert_eq!((one.requests.len(), one.matching), (1, 4));
        let routes: Vec<_> = one
            .routes
            .iter()
            .map(|r| (&*r.route, r.requests, r.mean.as_millis(), r.slowest.as_millis()))
            .collect();
        assert_eq!(routes, [("/slow", 3, 2_666, 4_000), ("/fast", 1, 2_000, 2_000)]);
        assert_eq!((one.routes[0].most_queries, one.routes[1].most_queries), (101, 1));
        assert_eq!(one.routes[0].trace, TraceId::from(4));
    }
}
