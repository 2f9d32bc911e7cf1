//! Layer that counts and times requests: axum-prometheus's, with the handles of each route.

use std::{sync::Arc, time::Instant};

use axum::http::{Request, Response};
use axum_prometheus::lifecycle::{Callbacks, OnBodyChunk, layer::LifeCycleLayer};
use bytes::Buf;
use tower_http::classify::{
    ClassifiedResponse, ServerErrorsAsFailures, ServerErrorsFailureClass, SharedClassifier,
};

use super::{request_cost, request_metrics::RequestMetrics};

pub type RequestMetricsLayer =
    LifeCycleLayer<SharedClassifier<ServerErrorsAsFailures>, CountRequests, IgnoreBody>;

/// To be layered within `Observe`, which knows the route.
pub fn layer() -> RequestMetricsLayer {
    // The status label tells failures apart; what the classifier says is not used.
    let classifier = SharedClassifier::new(ServerErrorsAsFailures::new());
    LifeCycleLayer::new(classifier, CountRequests, IgnoreBody)
}

/// The callbacks of the layer.
#[derive(Clone)]
pub struct CountRequests;

/// A request in flight, until the last of its answer's body is gone.
pub struct InFlight {
    requests: Arc<RequestMetrics>,
    started: Instant,
}

impl InFlight {
    fn new(requests: Arc<RequestMetrics>, started: Instant) -> Arc<Self> {
        requests.begin();
        Arc::new(Self { requests, started })
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.requests.end();
    }
}

impl Callbacks<ServerErrorsFailureClass> for CountRequests {
    type Data = Option<Arc<InFlight>>;

    fn prepare<B>(&mut self, request: &Request<B>) -> Self::Data {
        let request_cost = request_cost::current()?;
        let requests = request_cost.route()?.of_method(request.method());
        Some(InFlight::new(requests.clone(), request_cost.started()))
    }

    fn on_response<B>(
        &mut self,
        response: &Response<B>,
        _: ClassifiedResponse<ServerErrorsFailureClass, ()>,
        in_flight: &mut Self::Data,
    ) {
        if let Some(InFlight { requests, started }) = in_flight.as_deref() {
            let seconds = started.elapsed().as_secs_f64();
            requests.record(response.status().as_u16(), seconds);
        }
    }
}

/// Sizes of answers are in the access log.
#[derive(Clone)]
pub struct IgnoreBody;

impl<B: Buf> OnBodyChunk<B> for IgnoreBody {
    type Data = Option<Arc<InFlight>>;
}
