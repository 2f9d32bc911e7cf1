//! Layer that counts and times requests: axum-prometheus's, with the handles of each route.

use std::{sync::Arc, time::Instant};

use axum::http::{Request, Response};
use axum_prometheus::lifecycle::{Callbacks, OnBodyChunk, layer::LifeCycleLayer};
use bytes::Buf;
use tower_http::classify::{
    ClassifiedResponse, ServerErrorsAsFailures, ServerErrorsFailureClass, SharedClassifier,
};

use super::{request_cost, route_metrics::OfMethod};

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
    of_method: Arc<OfMethod>,
    started: Instant,
}

impl InFlight {
    fn new(of_method: Arc<OfMethod>, started: Instant) -> Arc<Self> {
        of_method.requests.begin();
        Arc::new(Self { of_method, started })
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.of_method.requests.end();
    }
}

impl Callbacks<ServerErrorsFailureClass> for CountRequests {
    type Data = Option<Arc<InFlight>>;

    fn prepare<B>(&mut self, request: &Request<B>) -> Self::Data {
        let request_cost = request_cost::current()?;
        let of_method = request_cost.route()?.of_method(request.method());
        Some(InFlight::new(of_method.clone(), request_cost.started()))
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
