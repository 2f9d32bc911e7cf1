//! JSON bodies: 415, 413, 400 and 422 in this order, before any handler runs.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use axum::{
    body::{Bytes, HttpBody},
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::Value;

use super::{Fields, json::malformed};
use crate::{
    edge::Clock,
    error::Error,
    held_bytes::{RequestBytes, SMALL},
};
use observe::{millis::whole_millis, request_cost, route_metrics::Route};

/// Longest time from the head of a request to the end of its body, in ms: 1 MiB in 30 s is 280
/// kbit/s. A slower client holds only a connection. Global, because an extractor has no settings.
static BODY_TIMEOUT: AtomicU64 = AtomicU64::new(30_000);

/// Sets BODY_TIMEOUT for all servers of this process.
pub fn set_timeout(timeout: Duration) {
    BODY_TIMEOUT.store(whole_millis(timeout), Relaxed);
}

fn timeout() -> Duration {
    Duration::from_millis(BODY_TIMEOUT.load(Relaxed))
}

/// Default of the largest body, in bytes.
const MAX_BYTES: usize = 1024 * 1024;

/// Value that arrives as a JSON object.
pub trait Input: Sized {
    /// Largest body, in bytes. A larger one is refused unread.
    const MAX_BYTES: usize = MAX_BYTES;

    /// Reads the fields. The result is dropped if any of them was bad.
    fn read(fields: &mut Fields) -> Self;
}

/// A handler's JSON body.
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: Input> FromRequest<S> for Body<T> {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self, Error> {
        let bytes = json_bytes(request, T::MAX_BYTES).await?;
        let value: Value = serde_json::from_slice(&bytes).map_err(|e| malformed(&e))?;
        let mut fields = Fields::of(value)?;
        let input = T::read(&mut fields);
        fields.finish()?;
        Ok(Self(input))
    }
}

/// Reads a JSON body. Errors if it has another type, or is longer than `max_bytes`.
pub async fn json_bytes(request: Request, max_bytes: usize) -> Result<Bytes, Error> {
    if !is_json(request.headers()) {
        return Err(Error::NotJson);
    }
    if is_longer(request.headers(), max_bytes) {
        return Err(Error::TooLarge { max_bytes });
    }
    let (clock, room) = (Clock::of(&request), room_for(&request));
    let body = request.into_body();
    Clock::stopped(clock.as_ref(), whole(body, max_bytes, timeout(), &room)).await
}

/// Returns the request with its whole body, for a caller that must not wait for a client. A body
/// that will be refused unread stays unread.
pub async fn arrived(request: Request) -> Result<Request, Error> {
    let headers = request.headers();
    if request.body().is_end_stream() || !is_json(headers) || is_longer(headers, MAX_BYTES) {
        return Ok(request);
    }
    let (clock, room) = (Clock::of(&request), room_for(&request));
    let (parts, body) = request.into_parts();
    let bytes = Clock::stopped(clock.as_ref(), whole(body, MAX_BYTES, timeout(), &room)).await?;
    Ok(Request::from_parts(parts, axum::body::Body::from(bytes)))
}

/// True if the client declares a longer body. One without a length is counted as it arrives.
fn is_longer(headers: &HeaderMap, max_bytes: usize) -> bool {
    let length = headers.get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    length.is_some_and(|length| length > max_bytes)
}

async fn whole(
    body: axum::body::Body,
    max_bytes: usize,
    within: Duration,
    room: &Option<RequestBytes>,
) -> Result<Bytes, Error> {
    let body = tokio::time::timeout(within, collected(body, max_bytes, room)).await;
    body.map_err(|_| Error::TooSlow(within.as_secs()))?
}

/// Collects a body. One in a single piece is not copied. Others are copied as they come: kept as
/// pieces of one byte each they would take forty times as much.
async fn collected(
    body: axum::body::Body,
    max_bytes: usize,
    room: &Option<RequestBytes>,
) -> Result<Bytes, Error> {
    let mut body = Limited::new(body, max_bytes);
    let (mut first, mut all) = (Bytes::new(), Vec::new());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| match error.is::<LengthLimitError>() {
            true => Error::TooLarge { max_bytes },
            false => Error::Malformed(format!("the body broke off: {error}")),
        })?;
        let Ok(piece) = frame.into_data() else { continue };
        let bytes = first.len() + all.len() + piece.len();
        if let Some(room) = room
            && bytes > SMALL
        {
            room.take_body(bytes)?;
        }
        if first.is_empty() && all.is_empty() {
            first = piece;
        } else {
            all.extend_from_slice(&std::mem::take(&mut first));
            all.extend_from_slice(&piece);
        }
    }
    // Without spare capacity: it may wait for long.
    Ok(if all.is_empty() { first } else { all.into_boxed_slice().into() })
}

/// Room that the body has to take. None for measured routes: a lab may be about its size.
fn room_for(request: &Request) -> Option<RequestBytes> {
    if request_cost::current().is_some_and(|b| b.route().is_some_and(Route::is_measured)) {
        return None;
    }
    request.extensions().get().cloned()
}

/// True for `application/json`, and types based on JSON, such as `application/problem+json`.
fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type.and_then(|value| value.split(';').next()).unwrap_or_default();
    let essence = essence.trim().to_ascii_lowercase();
    essence == "application/json"
        || essence.starts_with("application/") && essence.ends_with("+json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_that_never_ends_is_given_up() {
        let endless = axum::body::Body::from_stream(futures_util::stream::pending::<
            Result<Bytes, std::io::Error>,
        >());
        let error = whole(endless, 10, Duration::ZERO, &None).await.unwrap_err();
        assert!(matches!(error, Error::TooSlow(0)), "{error}");
    }
}
