//! Compresses a body with gzip, if that is worthwhile and the client accepts it.
//!
//! A finished body is compressed before the answer leaves the request's future: the time is part of
//! the request cost, and its `bytes` are those on the wire. A stream stays as it is.

use std::{
    convert::Infallible,
    task::{Context, Poll},
};

use axum::{
    body::{Body, HttpBody, to_bytes},
    extract::Request,
    http::{
        HeaderMap, HeaderValue, Response as AnyResponse,
        header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, VARY},
    },
    response::{IntoResponse, Response},
};
use futures_util::future::{BoxFuture, Either, FutureExt, MapOk, TryFutureExt};
use tower::{Layer, Service, ServiceExt};
use tower_http::{
    CompressionLevel,
    compression::{Compression, Predicate},
};

use crate::error::Error;

/// Smallest body that is compressed, in bytes. A smaller one fits into one packet anyway.
const WORTH_IT: u64 = 1024;

/// Layer that compresses for clients that accept gzip. It costs others a look at one header.
#[derive(Clone)]
pub struct Compress;

impl<S> Layer<S> for Compress {
    type Service = Compressed<S>;

    fn layer(&self, inner: S) -> Compressed<S> {
        Compressed { inner }
    }
}

#[derive(Clone)]
pub struct Compressed<S> {
    inner: S,
}

impl<S> Service<Request> for Compressed<S>
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Either<
        MapOk<S::Future, fn(Response) -> Response>,
        BoxFuture<'static, Result<Response, Infallible>>,
    >;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        if !takes_gzip(request.headers()) {
            return Either::Left(self.inner.call(request).map_ok(uncompressed));
        }
        let compression = Compression::new(self.inner.clone())
            // It runs on a worker, while others wait: the cheapest level, not the smallest body.
            .quality(CompressionLevel::Fastest)
            .compress_when(Worthwhile);
        Either::Right(
            async move {
                let response = compression.oneshot(request).await?.map(Body::new);
                let is_compressed = response.headers().contains_key(CONTENT_ENCODING);
                Ok(if is_compressed { finished(response).await } else { response })
            }
            .boxed(),
        )
    }
}

/// Adds Vary: a cache must know that other clients get it compressed.
fn uncompressed(mut response: Response) -> Response {
    if Worthwhile.should_compress(&response) {
        response.headers_mut().append(VARY, ACCEPT_ENCODING.into());
    }
    response
}

/// Reads the whole body, so that its size is known.
async fn finished(response: Response) -> Response {
    let (parts, body) = response.into_parts();
    match to_bytes(body, usize::MAX).await {
        Ok(bytes) => Response::from_parts(parts, Body::from(bytes)),
        Err(cause) => Error::internal(cause).into_response(),
    }
}

/// Text of at least `WORTH_IT` bytes that is complete and not compressed yet.
#[derive(Clone, Copy)]
struct Worthwhile;

impl Predicate for Worthwhile {
    fn should_compress<B: HttpBody>(&self, response: &AnyResponse<B>) -> bool {
        let headers = response.headers();
        response.body().size_hint().exact().is_some_and(|size| size >= WORTH_IT)
            && headers.get(CONTENT_TYPE).is_some_and(is_text)
            && !headers.contains_key(CONTENT_ENCODING)
    }
}

fn is_text(content_type: &HeaderValue) -> bool {
    let content_type = content_type.to_str().unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.starts_with("text/") && essence != "text/event-stream"
        || matches!(essence, "application/json" | "application/javascript" | "image/svg+xml")
        || essence.ends_with("+json")
}

/// True if gzip is named, not as `gzip;q=0`. A client that sends only `*` gets it uncompressed.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().trim_start_matches(['q', 'Q']).trim_start_matches('=');
        name.trim().eq_ignore_ascii_case("gzip")
            && (weight.is_empty() || weight.parse().is_ok_and(|weight: f32| weight > 0.0))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_taken_where_it_is_named_with_a_weight() {
        let takes = |value: &'static str| {
            let headers = [(ACCEPT_ENCODING, HeaderValue::from_static(value))];
            takes_gzip(&HeaderMap::from_iter(headers))
        };
        for yes in ["gzip", "br, GZIP", "gzip;q=0.5", "deflate,gzip; q=1.0,identity"] {
            assert!(takes(yes), "{yes}");
        }
        for no in ["", "*", "br", "identity", "gzip;q=0", "gzip;q=0.000", "gzip;q=x", "xgzip"] {
            assert!(!takes(no), "{no}");
        }
    }
}
