//! Requests counted, timed and in flight, by axum-prometheus's layer and under its names.
//!
//! Its own callbacks make their labels anew for every request, which took a fifth of the rate of a
//! tiny answer; these keep the handles.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Instant,
};

use axum::http::{Request, Response};
use axum_prometheus::lifecycle::{Callbacks, OnBodyChunk, layer::LifeCycleLayer};
use bytes::Buf;
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use tower_http::classify::{
    ClassifiedResponse, ServerErrorsAsFailures, ServerErrorsFailureClass, SharedClassifier,
};

use super::{budget, metrics::names, route_metrics::OfMethod};

pub type RequestMetricsLayer =
    LifeCycleLayer<SharedClassifier<ServerErrorsAsFailures>, CountRequests, IgnoreBody>;

/// To be layered within `Observe`, which knows the route.
pub fn layer() -> RequestMetricsLayer {
    // The status label tells failures apart; what the classifier says is not used.
    let classifier = SharedClassifier::new(ServerErrorsAsFailures::new());
    LifeCycleLayer::new(classifier, CountRequests, IgnoreBody)
}

/// Handles of one route and method.
pub struct RequestMetrics {
    route: String,
    method: &'static str,
    pending: Gauge,
    /// A route answers with a handful of statuses: looking through them is quicker than hashing.
    answered: RwLock<Vec<(u16, Answered)>>,
}

#[derive(Clone)]
struct Answered {
    total: Counter,
    duration: Histogram,
}

impl RequestMetrics {
    pub fn new(route: &str, method: &'static str) -> Self {
        let route = route.to_owned();
        let labels = [("method", method.to_owned()), ("endpoint", route.clone())];
        let pending = gauge!(names::HTTP_REQUESTS_PENDING, &labels);
        Self { route, method, pending, answered: RwLock::default() }
    }

    fn record(&self, status: u16, seconds: f64) {
        // A panic while the lock was held leaves a list that is whole: pushing is its one step.
        let known = self.answered.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, answered)) = known.iter().find(|(known, _)| *known == status) {
            return answered.record(seconds);
        }
        drop(known);
        let labels = [
            ("method", self.method.to_owned()),
            ("status", status.to_string()),
            ("endpoint", self.route.clone()),
        ];
        // Two requests may both come here; their handles lead to the same series.
        let answered = Answered {
            total: counter!(names::HTTP_REQUESTS, &labels),
            duration: histogram!(names::HTTP_REQUEST_TIME, &labels),
        };
        answered.record(seconds);
        let mut known = self.answered.write().unwrap_or_else(PoisonError::into_inner);
        known.push((status, answered));
    }
}

impl Answered {
    fn record(&self, seconds: f64) {
        self.total.increment(1);
        self.duration.record(seconds);
    }
}

/// The callbacks of the layer.
#[derive(Clone)]
pub struct CountRequests;

/// A request in flight, until the last of its answer's body is gone.
pub struct InFlight {
    of_method: Arc<OfMethod>,
    started: Instant,
}

impl InFlight {
    fn new(of_method: Arc<OfMethod>, started: Instant) -> Arc<Self> {
        of_method.requests.pending.increment(1);
        Arc::new(Self { of_method, started })
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.of_method.requests.pending.decrement(1);
    }
}

impl Callbacks<ServerErrorsFailureClass> for CountRequests {
    type Data = Option<Arc<InFlight>>;

    fn prepare<B>(&mut self, request: &Request<B>) -> Self::Data {
        let budget = budget::current()?;
        let of_method = budget.route()?.of_method(request.method());
        Some(InFlight::new(of_method.clone(), budget.started()))
    }

    fn on_response<B>(
        &mut self,
        response: &Response<B>,
        _: ClassifiedResponse<ServerErrorsFailureClass, ()>,
        in_flight: &mut Self::Data,
    ) {
        if let Some(InFlight { of_method, started }) = in_flight.as_deref() {
            let seconds = started.elapsed().as_secs_f64();
            of_method.requests.record(response.status().as_u16(), seconds);
        }
    }
}

/// Sizes of answers are in the access log.
#[derive(Clone)]
pub struct IgnoreBody;

impl<B: Buf> OnBodyChunk<B> for IgnoreBody {
    type Data = Option<Arc<InFlight>>;
}
