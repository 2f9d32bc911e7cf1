//! Ids of a request: the request id, which its client may choose, and the trace id.

use arrayvec::ArrayString;
use axum::http::{HeaderMap, HeaderName};
use opentelemetry::trace::TraceId;
use serde::Serialize;

pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
pub const TRACE_ID: HeaderName = HeaderName::from_static("x-trace-id");

/// Longest request id in bytes. Longer ones are replaced: each log line has a copy.
const MAX_REQUEST_ID: usize = 64;

/// Request id and trace id: 32 hexadecimal digits, or the request id that the client sent. Both are
/// stored inline, because every request has them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ids {
    #[serde(rename = "request_id")]
    pub request: ArrayString<MAX_REQUEST_ID>,
    #[serde(rename = "trace_id")]
    pub trace: ArrayString<32>,
}

impl Ids {
    /// Takes the ids that the client sent if they are valid, and generates the others.
    pub fn of(headers: &HeaderMap, trace: Option<TraceId>) -> Self {
        let sent = headers.get(REQUEST_ID).and_then(|v| v.to_str().ok()).filter(|id| is_sane(id));
        let sent = sent.and_then(|id| ArrayString::from(id).ok());
        let random = || TraceId::from(fastrand::u128(1..));
        Self {
            request: sent.unwrap_or_else(|| hex(random())),
            trace: hex(trace.unwrap_or_else(random)),
        }
    }

    /// Trace id in OpenTelemetry's type.
    pub fn trace_id(&self) -> TraceId {
        // The text came from a `TraceId`.
        TraceId::from_hex(&self.trace).unwrap_or(TraceId::INVALID)
    }
}

fn is_sane(id: &str) -> bool {
    (1..=MAX_REQUEST_ID).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

/// Formats an id. Ids must be unlikely to repeat, not hard to guess.
fn hex<const SIZE: usize>(id: TraceId) -> ArrayString<SIZE> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut digits = [0; 32];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(id.to_bytes()) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    // The text is ASCII and fits both ids.
    let text = std::str::from_utf8(&digits).unwrap_or_default();
    ArrayString::from(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sane_request_id_is_taken_over_and_any_other_replaced() {
        let id = |value: &str| {
            let headers = HeaderMap::from_iter([(REQUEST_ID, value.parse().unwrap())]);
            Ids::of(&headers, None).request.to_string()
        };
        assert_eq!(id("order-17.b_2"), "order-17.b_2");
        for bad in ["", "a b", "x\"y", &"a".repeat(65)] {
            assert_eq!(id(bad).len(), 32, "{bad}");
        }
    }

    #[test]
    fn a_trace_id_that_was_made_up_is_a_valid_one() {
        let ids = Ids::of(&HeaderMap::new(), None);
        assert_ne!(ids.trace_id(), TraceId::INVALID);
        assert_eq!(ids.trace_id().to_string(), ids.trace.as_str());
        assert_eq!(Ids::of(&HeaderMap::new(), Some(ids.trace_id())).trace, ids.trace);
    }
}
