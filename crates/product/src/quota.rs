//! Rate-limit headers of an answer: those of draft-ietf-httpapi-ratelimit-headers-06, the last
//! draft with a header for each number.
//!
//! The draft leaves open which answers carry them; here the answers to all counted requests do, so
//! that a client can slow down before it is refused.

use std::{convert::Infallible, time::Duration};

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, header::RETRY_AFTER},
    response::{IntoResponseParts, ResponseParts},
};

use crate::config::Limit;

const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    pub limit: u32,
    pub window_seconds: u64,
    pub remaining: u32,
    /// Time until the whole quota is available again.
    pub reset: Duration,
    /// Time until one more request is allowed; set if this one was refused.
    pub retry_after: Option<Duration>,
}

impl Quota {
    pub fn left(limit: Limit, remaining: u32) -> Self {
        let used = limit.max.get().saturating_sub(remaining);
        Self {
            limit: limit.max.get(),
            window_seconds: limit.per.as_secs(),
            remaining,
            reset: limit.interval() * used,
            retry_after: None,
        }
    }

    pub fn spent(limit: Limit, retry_after: Duration) -> Self {
        Self { retry_after: Some(retry_after), ..Self::left(limit, 0) }
    }

    /// Adds the headers, unless a narrower limit has set them.
    pub fn add_to(&self, headers: &mut HeaderMap) {
        if headers.contains_key(LIMIT) {
            return;
        }
        headers.insert(LIMIT, self.limit.into());
        headers.insert(REMAINING, self.remaining.into());
        // The draft: beside Retry-After, both name the same moment.
        let reset = seconds(self.retry_after.unwrap_or(self.reset));
        if self.retry_after.is_some() {
            headers.insert(RETRY_AFTER, reset.clone());
        }
        headers.insert(RESET, reset);
    }
}

/// Adds the headers for handlers that count by themselves.
impl IntoResponseParts for Quota {
    type Error = Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Infallible> {
        self.add_to(parts.headers_mut());
        Ok(parts)
    }
}

/// Whole seconds, rounded up: a client that comes back then must not be refused again.
fn seconds(time: Duration) -> HeaderValue {
    (time.as_secs() + u64::from(time.subsec_nanos() > 0)).into()
}
