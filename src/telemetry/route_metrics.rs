//! Where a finished request is counted: histograms by route and method, and the exact measurements
//! of a lab's variant. Handles are made once for each route, so a request looks up one map.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock, PoisonError, RwLock},
};

use axum::http::Method;
use metrics::{Histogram, SharedString, histogram};

use super::{
    access_log::CLIENT_CLOSED_REQUEST,
    cost::{Cost, Counter},
    measurements::Measurements,
    metrics::names,
};

/// Stands for every path that no route matches, or a scanner would make a series of each.
pub const UNKNOWN_ROUTE: &str = "<unknown>";

/// Labels come from a closed set: any other method counts as the last.
const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "OTHER"];

/// By route template.
#[derive(Default)]
pub struct Routes {
    known: RwLock<HashMap<String, Arc<Route>>>,
}

#[derive(Default)]
struct Route {
    template: String,
    by_method: [OnceLock<BudgetHistograms>; METHODS.len()],
    measurements: Option<Arc<Measurements>>,
}

impl Routes {
    /// `labs` says which routes are variants of a lab, and where those are measured.
    pub fn new(labs: impl IntoIterator<Item = (String, Arc<Measurements>)>) -> Self {
        let route = |(template, measurements): (String, _)| {
            let measurements = Some(measurements);
            (template.clone(), Arc::new(Route { template, measurements, ..Route::default() }))
        };
        Self { known: RwLock::new(labs.into_iter().map(route).collect()) }
    }

    pub fn record(&self, template: &str, method: &Method, status: u16, cost: &Cost) {
        let route = self.route(template);
        let index = METHODS.iter().position(|m| *m == method.as_str());
        let index = index.unwrap_or(METHODS.len() - 1);
        route.by_method[index]
            .get_or_init(|| BudgetHistograms::new(&route.template, METHODS[index]))
            .record(cost);
        // What a client left behind is unfinished, and no measure of the variant.
        if let Some(measurements) = &route.measurements
            && status != CLIENT_CLOSED_REQUEST
        {
            measurements.record(status, cost);
        }
    }

    fn route(&self, template: &str) -> Arc<Route> {
        // A panic while the lock was held leaves a map that is whole: inserting is its last step.
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(route) = known.get(template) {
            return route.clone();
        }
        drop(known);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(Route { template: template.to_owned(), ..Route::default() });
        known.entry(template.to_owned()).or_insert_with(new).clone()
    }
}

struct BudgetHistograms {
    queries: Histogram,
    rows: Histogram,
    switches: Histogram,
    busy: Histogram,
    off_cpu: Histogram,
    longest_poll: Histogram,
    db: Histogram,
    pool_wait: Histogram,
}

impl BudgetHistograms {
    fn new(route: &str, method: &'static str) -> Self {
        let labels: [(&'static str, SharedString); 2] =
            [("route", route.to_owned().into()), ("method", method.into())];
        let handle = |name: &'static str| histogram!(name, &labels);
        Self {
            queries: handle(names::REQUEST_QUERIES),
            rows: handle(names::REQUEST_ROWS),
            switches: handle(names::REQUEST_SWITCHES),
            busy: handle(names::REQUEST_BUSY),
            off_cpu: handle(names::REQUEST_OFF_CPU),
            longest_poll: handle(names::REQUEST_LONGEST_POLL),
            db: handle(names::REQUEST_DB),
            pool_wait: handle(names::REQUEST_POOL_WAIT),
        }
    }

    fn record(&self, cost: &Cost) {
        let seconds = |ns: u64| ns as f64 / 1e9;
        self.queries.record(cost.queries as f64);
        self.rows.record(cost.rows as f64);
        if Counter::Switches.is_measured() {
            self.switches.record(cost.switches as f64);
            self.off_cpu.record(seconds(cost.off_cpu_ns()));
        }
        self.busy.record(seconds(cost.busy_ns));
        self.longest_poll.record(seconds(cost.longest_poll_ns));
        self.db.record(seconds(cost.db_ns));
        self.pool_wait.record(seconds(cost.pool_wait_ns));
    }
}
