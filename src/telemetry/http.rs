//! The layer around every handler: ids, span, budget, response headers, access line, metrics.
//!
//! A hand-written future without boxing, because every request pays for it.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::{
    body::HttpBody,
    extract::{MatchedPath, Request},
    http::{HeaderName, HeaderValue, Method, header},
    response::Response,
};
use tower::{Layer, Service};
use tracing::{Span, field::Empty};

use super::{
    access_log::{self, AccessLog, CLIENT_CLOSED_REQUEST},
    budget::{Budget, Measured},
    cost::{Cost, Counter},
    request_id::{Ids, REQUEST_ID, TRACE_ID},
    route_metrics::{Routes, UNKNOWN_ROUTE},
    server_timing::{self, SERVER_TIMING},
};

/// On every answer. A page may load only what this server serves.
const SECURITY_HEADERS: [(HeaderName, HeaderValue); 3] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
];
const HEADERS_ADDED: usize = 7;
const CONTENT_SECURITY_POLICY: HeaderValue = HeaderValue::from_static("default-src 'self'");

/// Observes every request of the router it is layered on.
#[derive(Clone)]
pub struct Observe(Arc<Observer>);

struct Observer {
    access: Option<AccessLog>,
    routes: Option<Routes>,
}

impl Observe {
    /// For the app: access line and metrics by route.
    pub fn app(access: AccessLog, routes: Routes) -> Self {
        Self(Arc::new(Observer { access: Some(access), routes: Some(routes) }))
    }

    /// For ops: ids and headers only, or scrapes would fill log and metrics.
    pub fn ops() -> Self {
        Self(Arc::new(Observer { access: None, routes: None }))
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

impl<S> Service<Request> for Observed<S>
where
    S: Service<Request, Response = Response>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = ObservedFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let ids = Ids::from_headers(request.headers());
        let seen = Seen {
            method: request.method().clone(),
            route: request.extensions().get::<MatchedPath>().cloned(),
            path: request.uri().path().to_owned(),
        };
        // Of the highest level, so that a line of any level has the ids.
        let span = tracing::error_span!(
            "request",
            request_id = ids.request,
            trace_id = ids.trace,
            http.request.method = seen.method.as_str(),
            http.route = seen.route(),
            url.path = seen.path,
            http.response.status_code = Empty,
            chokepoint.polls = Empty,
            chokepoint.longest_poll_ms = Empty,
            chokepoint.busy_ms = Empty,
            chokepoint.cpu_ms = Empty,
            chokepoint.off_cpu_ms = Empty,
            chokepoint.switches = Empty,
            chokepoint.queries = Empty,
            chokepoint.rows = Empty,
            chokepoint.commits = Empty,
            chokepoint.db_ms = Empty,
            chokepoint.pool_wait_ms = Empty,
            chokepoint.cache_hits = Empty,
            chokepoint.cache_misses = Empty,
        );
        ObservedFuture {
            inner: Measured::new(Budget::new(ids), self.inner.call(request)),
            finish: Finish { observer: self.observer.clone(), seen, span, is_done: false },
        }
    }
}

/// What the log and the metrics say of a request.
struct Seen {
    method: Method,
    route: Option<MatchedPath>,
    path: String,
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
        finish: Finish,
    }

    impl<F> PinnedDrop for ObservedFuture<F> {
        /// Dropped before the answer: the client has gone, and what it cost was paid all the same.
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if !this.finish.is_done {
                let budget = this.inner.budget().clone();
                this.finish.record(CLIENT_CLOSED_REQUEST, &budget, &budget.cost(0));
            }
        }
    }
}

struct Finish {
    observer: Arc<Observer>,
    seen: Seen,
    span: Span,
    is_done: bool,
}

impl<F, E> Future for ObservedFuture<F>
where
    F: Future<Output = Result<Response, E>>,
{
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let _in_span = this.finish.span.enter();
        let mut response = ready!(this.inner.as_mut().poll(cx))?;
        let budget = this.inner.budget();
        let cost = budget.cost(response.body().size_hint().exact().unwrap_or(0));
        add_headers(&mut response, budget, &cost);
        this.finish.is_done = true;
        this.finish.record(response.status().as_u16(), budget, &cost);
        Poll::Ready(Ok(response))
    }
}

impl Finish {
    fn record(&self, status: u16, budget: &Budget, cost: &Cost) {
        if !self.span.is_disabled() {
            self.record_in_span(status, cost);
        }
        if let Some(access) = &self.observer.access
            && AccessLog::is_enabled()
        {
            let request = access_log::Request {
                ids: &budget.ids,
                method: self.seen.method.as_str(),
                route: self.seen.route(),
                path: &self.seen.path,
                status,
            };
            access.write(&request, cost);
        }
        if let Some(routes) = &self.observer.routes {
            routes.record(self.seen.route(), &self.seen.method, status, cost);
        }
    }

    fn record_in_span(&self, status: u16, cost: &Cost) {
        let ms = |ns: u64| ns as f64 / 1e6;
        // Recording None records nothing.
        let of_thread = Counter::Switches.is_measured().then_some(cost);
        // One call for all: each goes through every layer of the subscriber.
        tracing::record_all!(
            self.span,
            http.response.status_code = status,
            chokepoint.polls = cost.polls,
            chokepoint.longest_poll_ms = ms(cost.longest_poll_ns),
            chokepoint.busy_ms = ms(cost.busy_ns),
            chokepoint.cpu_ms = of_thread.map(|cost| ms(cost.cpu_ns)),
            chokepoint.off_cpu_ms = of_thread.map(|cost| ms(cost.off_cpu_ns())),
            chokepoint.switches = of_thread.map(|cost| cost.switches),
            chokepoint.queries = cost.queries,
            chokepoint.rows = cost.rows,
            chokepoint.commits = cost.commits,
            chokepoint.db_ms = ms(cost.db_ns),
            chokepoint.pool_wait_ms = ms(cost.pool_wait_ns),
            chokepoint.cache_hits = cost.cache_hits,
            chokepoint.cache_misses = cost.cache_misses,
        );
    }
}

fn add_headers(response: &mut Response, budget: &Budget, cost: &Cost) {
    let headers = response.headers_mut();
    // Once, rather than in steps as they come in.
    headers.reserve(HEADERS_ADDED);
    // Both ids are checked or made by us; neither can be an invalid header.
    if let (Ok(request), Ok(trace)) =
        (HeaderValue::from_str(&budget.ids.request), HeaderValue::from_str(&budget.ids.trace))
    {
        headers.insert(REQUEST_ID, request);
        headers.insert(TRACE_ID, trace);
    }
    headers.insert(SERVER_TIMING, server_timing::header(cost));
    for (name, value) in SECURITY_HEADERS {
        headers.insert(name, value);
    }
    // A page that needs more says so itself.
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(CONTENT_SECURITY_POLICY);
}
