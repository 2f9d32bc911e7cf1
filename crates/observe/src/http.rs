//! The layer around every handler: ids, span, budget, response headers, access line, metrics.
//!
//! A hand-written future without boxing, because every request pays for it.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Instant,
};

use axum::{
    body::HttpBody,
    extract::{MatchedPath, Request},
    http::{HeaderName, HeaderValue, Method, Uri, header},
    response::Response,
};
use opentelemetry::trace::SpanContext;
use tower::{Layer, Service};
use tracing::Span;

use super::{
    access_log::{self, AccessLog, CLIENT_CLOSED_REQUEST},
    budget::{self, Budget, Measured},
    cost::Cost,
    request_id::{Ids, REQUEST_ID, TRACE_ID},
    route_metrics::{Route, Routes, UNKNOWN_ROUTE},
    server_timing::{self, SERVER_TIMING},
    traces::{Heads, propagation, request},
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
    routes: Option<Arc<Routes>>,
    heads: Option<Heads>,
}

impl Observe {
    /// For the app: access line, metrics by route, traces.
    pub fn app(access: AccessLog, routes: Arc<Routes>, heads: Option<Heads>) -> Self {
        Self(Arc::new(Observer { access: Some(access), routes: Some(routes), heads }))
    }

    /// For ops: ids and headers only, or scrapes would fill log, metrics and traces.
    pub fn ops() -> Self {
        Self(Arc::new(Observer { access: None, routes: None, heads: None }))
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
    B: HttpBody,
{
    type Response = Response<B>;
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
        let budget = Budget::new(ids, seen.measured.clone(), started);
        let answer = budget::within(&budget, || self.inner.call(request));
        ObservedFuture {
            inner: Measured::new(budget, answer),
            finish: Finish { observer: self.observer.clone(), seen, span, is_done: false },
        }
    }
}

impl Observer {
    /// The span of a request that is traced; of any other there is none.
    fn span(
        &self,
        request: &Request,
        seen: &Seen,
        ids: &Ids,
        parent: Option<SpanContext>,
        now: Instant,
    ) -> Span {
        let (Some(heads), Some(measured)) = (&self.heads, &seen.measured) else {
            return Span::none();
        };
        let head = heads.decide(|| ids.trace_id(), parent.as_ref(), measured.recent_traces(), now);
        let Some(head) = head else { return Span::none() };
        let route = seen.route.as_ref().map(MatchedPath::as_str);
        request::open(head, parent, request, route, &ids.request)
    }
}

/// What the log and the metrics say of a request.
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

impl<F, B, E> Future for ObservedFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: HttpBody,
{
    type Output = Result<Response<B>, E>;

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
        request::close(&self.span, status, cost);
        if let Some(access) = &self.observer.access
            && AccessLog::is_enabled()
        {
            let request = access_log::Request {
                ids: &budget.ids,
                method: self.seen.method.as_str(),
                route: self.seen.route(),
                path: self.seen.uri.path(),
                status,
            };
            access.write(&request, cost);
        }
        if let Some(route) = &self.seen.measured {
            route.record(&self.seen.method, status, cost);
        }
    }
}

fn add_headers<B>(response: &mut Response<B>, budget: &Budget, cost: &Cost) {
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
