//! The two names of a request: the id its client may choose, and the trace it belongs to.

use axum::http::{HeaderMap, HeaderName};
use opentelemetry::trace::TraceId;

pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
pub const TRACE_ID: HeaderName = HeaderName::from_static("x-trace-id");

/// Longer ids are replaced: they are copied into every log line of the request.
const MAX_REQUEST_ID: usize = 64;

/// `trace` and, where the client sent none, `request` are 32 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ids {
    pub request: String,
    pub trace: String,
}

impl Ids {
    /// Takes over what the client sent if it is sane, and makes up what is missing.
    pub fn of(headers: &HeaderMap, trace: Option<TraceId>) -> Self {
        let request =
            headers.get(REQUEST_ID).and_then(|v| v.to_str().ok()).filter(|id| is_sane(id));
        Self {
            request: request.map_or_else(random_hex, str::to_owned),
            trace: trace.map_or_else(random_hex, |trace| trace.to_string()),
        }
    }

    /// The trace as OpenTelemetry has it.
    pub fn trace_id(&self) -> TraceId {
        // It was one, or was made up as one.
        TraceId::from_hex(&self.trace).unwrap_or(TraceId::INVALID)
    }
}

fn is_sane(id: &str) -> bool {
    (1..=MAX_REQUEST_ID).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

/// 32 hexadecimal digits, never all zero. Needs to be unlikely to repeat, not hard to guess.
fn random_hex() -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let bytes = fastrand::u128(1..).to_be_bytes();
    let mut text = String::with_capacity(32);
    for byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)] as char);
        text.push(DIGITS[usize::from(byte & 15)] as char);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sane_request_id_is_taken_over_and_any_other_replaced() {
        let id = |value: &str| {
            let headers = HeaderMap::from_iter([(REQUEST_ID, value.parse().unwrap())]);
            Ids::of(&headers, None).request
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
        assert_eq!(ids.trace_id().to_string(), ids.trace);
        assert_eq!(Ids::of(&HeaderMap::new(), Some(ids.trace_id())).trace, ids.trace);
    }
}
