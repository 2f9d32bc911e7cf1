//! Where a finished request is counted: histograms by route and method, and exact measurements where
//! they are kept. Handles are made once for each route, so a request looks up one map, once.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock, PoisonError, RwLock},
    time::SystemTime,
};

use axum::http::Method;
use metrics::counter;

use super::{
    access_log::CLIENT_CLOSED_REQUEST,
    blocked::{BlockedPoll, BlockedPolls},
    budget::PollCost,
    budget_histograms::BudgetHistograms,
    cost::Cost,
    labels::{Labels, RouteLabels},
    measurements::Measurements,
    metrics::names,
    request_id::Ids,
    request_metrics::RequestMetrics,
    traces::Recent,
};

/// Stands for every path that no route matches, or a scanner would make a series of each.
pub const UNKNOWN_ROUTE: &str = "<unknown>";

/// Labels come from a closed set: any other method counts as the last.
const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "OTHER"];

/// By route template.
pub struct Routes {
    known: RwLock<HashMap<String, Arc<Route>>>,
    labels: Arc<RouteLabels>,
    blocked: Arc<BlockedPolls>,
}

/// Handles of one route, made as methods come in.
pub struct Route {
    template: String,
    by_method: [OnceLock<Arc<OfMethod>>; METHODS.len()],
    labels: Labels,
    measurements: Option<Arc<Measurements>>,
    recent: Recent,
    blocked: Arc<BlockedPolls>,
}

impl Routes {
    /// `measured` are the routes whose requests are kept one by one, and all traced; `blocked` keeps the
    /// long polls of all.
    pub fn new(
        labels: Arc<RouteLabels>,
        measured: impl IntoIterator<Item = (String, Arc<Measurements>)>,
        blocked: Arc<BlockedPolls>,
    ) -> Self {
        let route = |(template, measurements): (String, _)| {
            let labels = labels.of(Some(&template)).clone();
            let route = Route::new(&template, labels, Some(measurements), blocked.clone());
            (template, Arc::new(route))
        };
        let known = RwLock::new(measured.into_iter().map(route).collect());
        Self { known, labels, blocked }
    }

    pub fn route(&self, template: &str) -> Arc<Route> {
        // A panic while the lock was held leaves a map that is whole: inserting is its last step.
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(route) = known.get(template) {
            return route.clone();
        }
        drop(known);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let labels = || self.labels.of(Some(template)).clone();
        let new = || Arc::new(Route::new(template, labels(), None, self.blocked.clone()));
        known.entry(template.to_owned()).or_insert_with(new).clone()
    }

    /// What their requests cost, for Prometheus.
    pub fn push_histograms(&self, text: &mut String) {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let routes: Vec<_> = known.values().cloned().collect();
        drop(known);
        BudgetHistograms::push_all(text, routes.iter().flat_map(|route| route.histograms()));
    }
}

impl Route {
    fn new(
        template: &str,
        labels: Labels,
        measurements: Option<Arc<Measurements>>,
        blocked: Arc<BlockedPolls>,
    ) -> Self {
        // From the start, so that its rate sees the first one.
        counter!(names::BLOCKED_POLLS, "route" => template.to_owned()).increment(0);
        Self {
            template: template.to_owned(),
            by_method: Default::default(),
            labels,
            measurements,
            recent: Recent::default(),
            blocked,
        }
    }

    pub fn of_method(&self, method: &Method) -> &Arc<OfMethod> {
        let index = METHODS.iter().position(|m| *m == method.as_str());
        let index = index.unwrap_or(METHODS.len() - 1);
        let new = || {
            Arc::new(OfMethod {
                requests: RequestMetrics::new(&self.template, METHODS[index]),
                budget: BudgetHistograms::default(),
            })
        };
        self.by_method[index].get_or_init(new)
    }

    /// By method, with their labels. Both are of closed sets that need no escaping.
    fn histograms(&self) -> impl Iterator<Item = (String, &BudgetHistograms)> + Clone {
        METHODS.iter().zip(&self.by_method).filter_map(|(method, of)| {
            let labels = format!("route=\"{}\",method=\"{method}\"", self.template);
            Some((labels, &of.get()?.budget))
        })
    }

    /// Whether its requests are kept one by one.
    pub fn is_measured(&self) -> bool {
        self.measurements.is_some()
    }

    /// Share of its requests that is traced, or none for all of them.
    pub fn recent_traces(&self) -> Option<&Recent> {
        self.measurements.is_none().then_some(&self.recent)
    }

    pub fn record(&self, method: &Method, status: u16, cost: &Cost) {
        self.of_method(method).budget.record(cost);
        // What a client left behind is unfinished, and no measure of the route.
        if let Some(measurements) = &self.measurements
            && status != CLIENT_CLOSED_REQUEST
        {
            measurements.record(status, cost);
        }
    }

    /// A poll of one of its requests held a worker for long.
    #[cold]
    pub fn blocked(&self, poll: &PollCost, ids: &Ids) {
        counter!(names::BLOCKED_POLLS, "route" => self.template.clone()).increment(1);
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

/// What is recorded of one route, asked with one method.
pub struct OfMethod {
    pub requests: RequestMetrics,
    budget: BudgetHistograms,
}
