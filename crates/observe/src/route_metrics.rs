//! Counts finished requests: metrics by route and method, and exact measurements of measured routes. Handles are made once for each route, so a request looks up one map, once.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard},
    time::SystemTime,
};

use axum::http::Method;
use metrics::{Label, counter};

use super::{
    blocked::{BlockedPoll, BlockedPolls},
    cost::{CLIENT_CLOSED_REQUEST, Cost, Counter, PollCost},
    in_flight::{InFlight, Place, Running},
    labels::{Labels, RouteLabels},
    measurements::Measurements,
    metrics::names,
    request_id::Ids,
    request_metrics::RequestMetrics,
    traces::Recent,
};

/// Label of all paths that match no route, or a scanner would create a series for each.
pub const UNKNOWN_ROUTE: &str = "<unknown>";

/// Values of the method label, a closed set: any other method counts as the last.
const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "OTHER"];

/// Table of routes by template.
pub struct Routes {
    known: RwLock<HashMap<String, Arc<Route>>>,
    labels: Arc<RouteLabels>,
    blocked: Arc<BlockedPolls>,
}

/// Metrics of one route; those of a method are made at its first request.
pub struct Route {
    template: String,
    /// Place among the routes, for the slot of a worker.
    number: u32,
    by_method: [OnceLock<Arc<RequestMetrics>>; METHODS.len()],
    labels: Labels,
    measurements: Option<Arc<Measurements>>,
    in_flight: InFlight,
    recent: Recent,
    blocked: Arc<BlockedPolls>,
}

impl Routes {
    /// Creates the table. Requests of `measured` routes are kept one by one;
    /// `blocked` keeps the long polls of all routes.
    pub fn new(
        labels: Arc<RouteLabels>,
        measured: impl IntoIterator<Item = (String, Arc<Measurements>)>,
        blocked: Arc<BlockedPolls>,
    ) -> Self {
        let route = |(number, (template, measurements)): (u32, (String, _))| {
            let labels = labels.of(Some(&template)).clone();
            let route = Route::new(&template, number, labels, Some(measurements), blocked.clone());
            (template, Arc::new(route))
        };
        let known = RwLock::new((0..).zip(measured).map(route).collect());
        Self { known, labels, blocked }
    }

    fn known(&self) -> RwLockReadGuard<'_, HashMap<String, Arc<Route>>> {
        // A panic while the lock was held leaves a map that is whole: inserting is its last step.
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn route(&self, template: &str) -> Arc<Route> {
        if let Some(route) = self.known().get(template) {
            return route.clone();
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let number = u32::try_from(known.len()).unwrap_or(u32::MAX);
        let labels = || self.labels.of(Some(template)).clone();
        let new = || Arc::new(Route::new(template, number, labels(), None, self.blocked.clone()));
        known.entry(template.to_owned()).or_insert_with(new).clone()
    }

    /// Route with this number.
    pub fn numbered(&self, number: u32) -> Option<Arc<Route>> {
        self.known().values().find(|route| route.number == number).cloned()
    }

    /// Routes whose requests are kept one by one, in their order.
    pub fn measured(&self) -> Vec<Arc<Route>> {
        let is_measured = |route: &&Arc<Route>| route.is_measured();
        let mut measured: Vec<_> = self.known().values().filter(is_measured).cloned().collect();
        measured.sort_by_key(|route| route.number);
        measured
    }

    /// Labels of a route that has none: every key without a value.
    pub fn no_labels(&self) -> Labels {
        self.labels.of(None).clone()
    }
}

impl Route {
    fn new(
        template: &str,
        number: u32,
        labels: Labels,
        measurements: Option<Arc<Measurements>>,
        blocked: Arc<BlockedPolls>,
    ) -> Self {
        // The series exists from the start, so that its rate includes the first poll.
        blocked_polls(template, &labels).increment(0);
        Self {
            template: template.to_owned(),
            number,
            by_method: Default::default(),
            labels,
            measurements,
            in_flight: InFlight::default(),
            recent: Recent::default(),
            blocked,
        }
    }

    pub fn template(&self) -> &str {
        &self.template
    }

    pub fn number(&self) -> u32 {
        self.number
    }

    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// Counts a request as in flight until its place is left. Only measured routes do: other requests
    /// need not pay for it.
    pub fn enter<R: Running + 'static>(&self, request: &Arc<R>) -> Option<Place> {
        self.is_measured().then(|| self.in_flight.enter(request.clone()))
    }

    pub fn leave(&self, place: Place) {
        self.in_flight.leave(place);
    }

    /// Requests in flight, oldest first.
    pub fn in_flight(&self) -> Vec<Arc<dyn Running>> {
        self.in_flight.all()
    }

    pub fn in_flight_count(&self) -> usize {
        self.in_flight.count()
    }

    pub fn of_method(&self, method: &Method) -> &Arc<RequestMetrics> {
        let index = METHODS.iter().position(|m| *m == method.as_str());
        let index = index.unwrap_or(METHODS.len() - 1);
        let new = || Arc::new(RequestMetrics::new(&self.template, METHODS[index], &self.labels));
        self.by_method[index].get_or_init(new)
    }

    /// Own counters of its requests, beside those of the table.
    pub fn own_counters(&self) -> &[Counter] {
        self.measurements.as_ref().map_or(&[], |measurements| measurements.own_counters())
    }

    /// True if its requests are kept one by one.
    pub fn is_measured(&self) -> bool {
        self.measurements.is_some()
    }

    /// Limit of its traced requests.
    pub fn recent_traces(&self) -> &Recent {
        &self.recent
    }

    pub fn record(&self, method: &Method, status: u16, cost: &Cost) {
        self.of_method(method).record_cost(cost);
        // A request that its client left is unfinished, and no measure of the route.
        if let Some(measurements) = &self.measurements
            && status != CLIENT_CLOSED_REQUEST
        {
            measurements.record(status, cost);
        }
    }

    /// Records a poll of one of its requests that held a worker for long.
    #[cold]
    pub fn blocked(&self, poll: &PollCost, ids: &Ids) {
        blocked_polls(&self.template, &self.labels).increment(1);
        self.blocked.push(BlockedPoll {
            started: SystemTime::now() - poll.wall,
            route: self.template.clone(),
            labels: self.labels.clone(),
            wall: poll.wall,
            cpu: poll.cpu,
            switches: poll.switches,
            ids: ids.clone(),
        });
    }
}

fn blocked_polls(route: &str, labels: &Labels) -> metrics::Counter {
    let mut of_series = vec![Label::new("route", route.to_owned())];
    of_series.extend(labels.pairs().map(|(key, value)| Label::new(key, value.to_owned())));
    counter!(names::BLOCKED_POLLS, of_series)
}
