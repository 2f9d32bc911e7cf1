//! Layer around every handler: ids, span, request cost, response headers, access line, metrics.
//!
//! Its future is written by hand, without boxing, because every request pays for it.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Instant,
};

use axum::{
    BoxError,
    body::{Body, Bytes, HttpBody},
    extract::{MatchedPath, Request},
    http::{HeaderName, HeaderValue, Method, Uri, header},
    response::Response,
};
use opentelemetry::trace::SpanContext;
use tower::{Layer, Service};
use tracing::Span;

use super::{
    access_log::{self, AccessLog},
    cost::{CLIENT_CLOSED_REQUEST, Cost, Counter},
    in_flight::Place,
    request_cost::{self, Measured, RequestCost},
    request_id::{Ids, REQUEST_ID, TRACE_ID},
    route_metrics::{Route, Routes, UNKNOWN_ROUTE},
    server_timing::{self, SERVER_TIMING},
    traces::{HeadSampler, propagation, ready::Ready, request},
};

/// Body of an answer that is made while it is sent.
mod body;

use body::ObservedBody;

/// Security headers of every answer. With the policy below a page loads only from this server.
const SECURITY_HEADERS: [(HeaderName, HeaderValue); 3] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
];
const HEADERS_ADDED: usize = 7;
const CONTENT_SECURITY_POLICY: HeaderValue = HeaderValue::from_static("default-src 'self'");

/// Layer that instruments every request of a router.
#[derive(Clone)]
pub struct Observe(Arc<Observer>);

struct Observer {
    access: Option<AccessLog>,
    routes: Option<Arc<Routes>>,
    sampler: Option<HeadSampler>,
}

impl Observe {
    /// Layer of the app: access line, metrics by route, traces.
    pub fn app(access: AccessLog, routes: Arc<Routes>, sampler: Option<HeadSampler>) -> Self {
        Self(Arc::new(Observer { access: Some(access), routes: Some(routes), sampler }))
    }

    /// Layer of ops: ids and headers only, or scrapes would fill log, metrics and traces.
    pub fn ops() -> Self {
        Self(Arc::new(Observer { access: None, routes: None, sampler: None }))
    }
}

impl<S> Layer<S> for Observe {
    type Service = Observed<S>;

    fn layer(&self, inner: S) -> Observed<S> {
        Observed { inner, observer: self.0.clone() }
    }
}

#[derive(Clone)]
pub struct Observed<S> {
    inner: S,
    observer: Arc<Observer>,
}

impl<S, B> Service<Request> for Observed<S>
where
    S: Service<Request, Response = Response<B>>,
    B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = ObservedFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let started = Instant::now();
        let parent = propagation::parent(request.headers());
        let ids = Ids::of(request.headers(), parent.as_ref().map(SpanContext::trace_id));
        let template = request.extensions().get::<MatchedPath>().cloned();
        let name = template.as_ref().map_or(UNKNOWN_ROUTE, MatchedPath::as_str);
        let seen = Seen {
            method: request.method().clone(),
            measured: self.observer.routes.as_ref().map(|routes| routes.route(name)),
            uri: request.uri().clone(),
            route: template,
        };
        let span = self.observer.span(&request, &seen, &ids, parent, started);
        let request_cost = RequestCost::new(ids, seen.measured.clone(), started);
        let place = seen.measured.as_ref().and_then(|route| route.enter(&request_cost));
        let answer = request_cost::within(&request_cost, || self.inner.call(request));
        ObservedFuture {
            inner: Measured::new(request_cost, answer),
            ready: Ready::of(&span),
            finish: Some(Finish { observer: self.observer.clone(), seen, span, place }),
        }
    }
}

impl Observer {
    /// Returns the span of the request, a disabled one if the request is not traced.
    fn span(
        &self,
        request: &Request,
        seen: &Seen,
        ids: &Ids,
        parent: Option<SpanContext>,
        now: Instant,
    ) -> Span {
        let (Some(sampler), Some(measured)) = (&self.sampler, &seen.measured) else {
            return Span::none();
        };
        let head =
            sampler.decide(|| ids.trace_id(), parent.as_ref(), measured.recent_traces(), now);
        let Some(head) = head else { return Span::none() };
        let route = seen.route.as_ref().map(MatchedPath::as_str);
        request::open(head, parent, request, route, &ids.request)
    }
}

/// Facts about a request for the log and the metrics.
struct Seen {
    method: Method,
    route: Option<MatchedPath>,
    measured: Option<Arc<Route>>,
    uri: Uri,
}

impl Seen {
    fn route(&self) -> &str {
        self.route.as_ref().map_or(UNKNOWN_ROUTE, MatchedPath::as_str)
    }
}

pin_project_lite::pin_project! {
    pub struct ObservedFuture<F> {
        #[pin]
        inner: Measured<F>,
        // None if it is not traced.
        ready: Option<Ready>,
        // None once the answer is there.
        finish: Option<Finish>,
    }

    impl<F> PinnedDrop for ObservedFuture<F> {
        /// Records a request dropped before its answer: the client left, but the cost is real.
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if let Some(finish) = this.finish.take() {
                let request_cost = this.inner.request_cost();
                finish.record(CLIENT_CLOSED_REQUEST, request_cost, &request_cost.cost());
            }
        }
    }
}

/// Record of a request in span, log and metrics, made once its cost is known.
struct Finish {
    observer: Arc<Observer>,
    seen: Seen,
    span: Span,
    /// Place among the requests in flight; None if they are not listed.
    place: Option<Place>,
}

impl<F, B, E> Future for ObservedFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let span = this.finish.as_ref().map_or_else(Span::none, |finish| finish.span.clone());
        let _in_span = span.enter();
        let polled = match this.ready {
            Some(ready) => ready.poll(&span, cx, |cx| this.inner.as_mut().poll(cx)),
            None => this.inner.as_mut().poll(cx),
        };
        let mut response = ready!(polled)?.map(Body::new);
        let request_cost = this.inner.request_cost();
        let bytes = response.body().size_hint().exact();
        request_cost.put(Counter::Bytes, bytes.unwrap_or(0));
        let cost = request_cost.cost();
        add_headers(&mut response, request_cost, &cost);
        let Some(finish) = this.finish.take() else { return Poll::Ready(Ok(response)) };
        let status = response.status().as_u16();
        if bytes.is_some() {
            finish.record(status, request_cost, &cost);
            return Poll::Ready(Ok(response));
        }
        let request_cost = request_cost.clone();
        let observed = |body| ObservedBody::new(body, request_cost, status, finish);
        Poll::Ready(Ok(response.map(|body| Body::new(observed(body)))))
    }
}

impl Finish {
    fn record(&self, status: u16, request_cost: &RequestCost, cost: &Cost) {
        let own = request_cost.own_counters();
        request::close(&self.span, status, cost, own);
        if let Some(access) = &self.observer.access
            && AccessLog::is_enabled()
        {
            let request = access_log::Request {
                ids: &request_cost.ids,
                method: self.seen.method.as_str(),
                route: self.seen.route(),
                path: self.seen.uri.path(),
                status,
            };
            access.write(&request, cost, own);
        }
        if let Some(route) = &self.seen.measured {
            route.record(&self.seen.method, status, cost);
        }
    }
}

impl Drop for Finish {
    fn drop(&mut self) {
        if let (Some(route), Some(place)) = (&self.seen.measured, self.place.take()) {
            route.leave(place);
        }
    }
}

fn add_headers(response: &mut Response, request_cost: &RequestCost, cost: &Cost) {
    let headers = response.headers_mut();
    // Reserves once instead of growing in steps.
    headers.reserve(HEADERS_ADDED);
    // Both ids are checked or generated here, so both are valid header values.
    if let (Ok(request), Ok(trace)) = (
        HeaderValue::from_str(&request_cost.ids.request),
        HeaderValue::from_str(&request_cost.ids.trace),
    ) {
        headers.insert(REQUEST_ID, request);
        headers.insert(TRACE_ID, trace);
    }
    headers.insert(SERVER_TIMING, server_timing::header(cost, request_cost.own_counters()));
    // A page that needs more sets its own policy.
    for (name, value) in SECURITY_HEADERS {
        headers.entry(name).or_insert(value);
    }
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(CONTENT_SECURITY_POLICY);
}
