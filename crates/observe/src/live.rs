//! The app as it is at this moment: what each worker polls, and the requests in flight of measured
//! routes with their counts so far. Nothing here needs a worker of the app.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use serde::Serialize;

use crate::{
    cost::{
        Counter,
        row::{AddsUp, Row},
    },
    in_flight::Running,
    labels::Labels,
    route_metrics::{Route, Routes},
    workers::{Polled, Workers},
};

/// Source of the view. Cheap to clone.
#[derive(Clone)]
pub struct Live {
    pub routes: Arc<Routes>,
    pub workers: Arc<Workers>,
}

/// One worker.
#[derive(Debug, Serialize)]
pub struct WorkerNow {
    pub worker: usize,
    /// Route of the request that it polls; None if it polls none.
    pub route: Option<String>,
    #[serde(flatten)]
    pub labels: Labels,
    pub trace_id: Option<String>,
    /// Milliseconds since the poll began.
    pub held_ms: Option<f64>,
}

/// Requests in flight of one route.
#[derive(Debug, Serialize)]
pub struct RouteNow {
    pub route: String,
    #[serde(flatten)]
    pub labels: Labels,
    #[serde(flatten)]
    pub now: InFlightNow,
}

#[derive(Debug, Default, Serialize)]
pub struct InFlightNow {
    #[serde(rename = "requests")]
    pub in_flight: usize,
    /// Age of the oldest in milliseconds.
    pub oldest_ms: Option<f64>,
    pub oldest_trace_id: Option<String>,
    /// Counts so far, of all requests together; zeros are left out.
    pub counters: BTreeMap<&'static str, f64>,
    /// Largest count of one request.
    pub most: BTreeMap<&'static str, f64>,
}

impl Live {
    pub fn workers(&self) -> Vec<WorkerNow> {
        let polled = self.workers.polled();
        (0..).zip(polled).map(|(worker, polled)| self.worker(worker, polled)).collect()
    }

    fn worker(&self, worker: usize, polled: Option<Polled>) -> WorkerNow {
        let route = polled.and_then(|polled| self.routes.numbered(polled.route));
        let (labels, route) = match &route {
            Some(route) => (route.labels().clone(), Some(route.template().to_owned())),
            None => (self.routes.no_labels(), None),
        };
        let trace_id = polled.map(|polled| polled.trace.to_string());
        let held_ms = polled.map(|polled| polled.held.as_micros() as f64 / 1e3);
        WorkerNow { worker, route, labels, trace_id, held_ms }
    }

    /// Measured routes that have a request in flight.
    pub fn in_flight(&self) -> Vec<RouteNow> {
        let routes = self.routes.measured().into_iter().filter(|route| route.in_flight_count() > 0);
        let now = |route: Arc<Route>| RouteNow {
            route: route.template().to_owned(),
            labels: route.labels().clone(),
            now: of(&route),
        };
        routes.map(now).collect()
    }

    /// Number of requests in flight on measured routes.
    pub fn count(&self) -> usize {
        self.routes.measured().iter().map(|route| route.in_flight_count()).sum()
    }

    /// Requests in flight of one route.
    pub fn of_route(&self, template: &str) -> InFlightNow {
        let routes = self.routes.measured();
        let route = routes.iter().find(|route| route.template() == template);
        route.map_or_else(InFlightNow::default, |route| of(route))
    }
}

fn of(route: &Route) -> InFlightNow {
    let all = route.in_flight();
    let now = Instant::now();
    let oldest = all.first();
    let age = |request: &Arc<dyn Running>| {
        now.saturating_duration_since(request.started()).as_micros() as f64 / 1e3
    };
    let mut in_flight = InFlightNow {
        in_flight: all.len(),
        oldest_ms: oldest.map(age),
        oldest_trace_id: oldest.map(|request| request.ids().trace.to_string()),
        ..InFlightNow::default()
    };
    let known: Vec<_> = Counter::ALL.iter().chain(route.own_counters()).copied().collect();
    for request in &all {
        let cost = request.cost();
        for counter in &known {
            if let Some(row) = counter.row().filter(|row| is_known_before_the_end(row)) {
                in_flight.add(row, cost.get(*counter));
            }
        }
    }
    in_flight
}

fn is_known_before_the_end(row: &Row) -> bool {
    row.is_measured() && row.adds_up != AddsUp::AtEnd
}

impl InFlightNow {
    fn add(&mut self, row: &Row, value: f64) {
        if value == 0.0 {
            return;
        }
        let name = row.names.json;
        let most = self.most.entry(name).or_default();
        *most = most.max(value);
        if row.adds_up == AddsUp::Sum {
            *self.counters.entry(name).or_default() += value;
        }
    }
}
