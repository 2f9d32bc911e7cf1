//! CORS: pages of other origins may call, with bearer tokens and without cookies.

use std::{
    task::{Context, Poll},
    time::Duration,
};

use axum::http::{
    HeaderName, HeaderValue, Method, Request, Response,
    header::{
        ACCESS_CONTROL_REQUEST_METHOD, AUTHORIZATION, CONTENT_TYPE, LOCATION, ORIGIN, RETRY_AFTER,
        WWW_AUTHENTICATE,
    },
};
use futures_util::future::Either;
use tower::{Layer, Service};
use tower_http::cors::{Cors, CorsLayer};

/// Time that a browser may remember a preflight: short, so that a changed list is soon in force.
const REMEMBERED: Duration = Duration::from_secs(600);

const METHODS: [Method; 5] = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::DELETE];

/// Headers that a page of another origin may read.
const EXPOSED: [HeaderName; 9] = [
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("x-trace-id"),
    HeaderName::from_static("server-timing"),
    HeaderName::from_static("ratelimit-limit"),
    HeaderName::from_static("ratelimit-remaining"),
    HeaderName::from_static("ratelimit-reset"),
    RETRY_AFTER,
    LOCATION,
    WWW_AUTHENTICATE,
];

/// Headers that a page may send: its token, and ids of its own.
const ALLOWED: [HeaderName; 4] = [
    AUTHORIZATION,
    CONTENT_TYPE,
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("traceparent"),
];

/// Layer for these origins. None without any: then no answer is any larger or slower.
pub fn cors(origins: &[String]) -> Option<CrossOrigin> {
    let origins: Vec<HeaderValue> = origins.iter().filter_map(|o| o.parse().ok()).collect();
    (!origins.is_empty()).then(|| {
        let cors = CorsLayer::new()
            .allow_origin(origins)
            .allow_methods(METHODS)
            .allow_headers(ALLOWED)
            .expose_headers(EXPOSED)
            .max_age(REMEMBERED);
        CrossOrigin(cors)
    })
}

/// CORS layer. tower-http answers every OPTIONS as if it were a preflight; here one that is not
/// goes on to the routes, as without CORS.
#[derive(Clone)]
pub struct CrossOrigin(CorsLayer);

#[derive(Clone)]
pub struct PerRequest<S> {
    cors: Cors<S>,
    inner: S,
}

impl<S: Clone> Layer<S> for CrossOrigin {
    type Service = PerRequest<S>;

    fn layer(&self, inner: S) -> PerRequest<S> {
        PerRequest { cors: self.0.layer(inner.clone()), inner }
    }
}

impl<S, B, C> Service<Request<B>> for PerRequest<S>
where
    S: Service<Request<B>, Response = Response<C>>,
    C: Default,
{
    type Response = Response<C>;
    type Error = S::Error;
    type Future = Either<<Cors<S> as Service<Request<B>>>::Future, S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        match self.inner.poll_ready(cx) {
            Poll::Ready(Ok(())) => self.cors.poll_ready(cx),
            other => other,
        }
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if request.method() == Method::OPTIONS && !is_preflight(&request) {
            Either::Right(self.inner.call(request))
        } else {
            Either::Left(self.cors.call(request))
        }
    }
}

/// True if the request has what a browser sends: its origin, and the method that it plans.
fn is_preflight<B>(request: &Request<B>) -> bool {
    let headers = request.headers();
    headers.contains_key(ORIGIN) && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}
