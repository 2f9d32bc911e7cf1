//! The two names of a request: the id its client may choose, and the trace it belongs to.

use axum::http::{HeaderMap, HeaderName};

pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
pub const TRACE_ID: HeaderName = HeaderName::from_static("x-trace-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

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
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let request =
            headers.get(REQUEST_ID).and_then(|v| v.to_str().ok()).filter(|id| is_sane(id));
        let trace =
            headers.get(TRACEPARENT).and_then(|v| v.to_str().ok()).and_then(trace_of_traceparent);
        Self {
            request: request.map_or_else(random_hex, str::to_owned),
            trace: trace.map_or_else(random_hex, str::to_owned),
        }
    }
}

fn is_sane(id: &str) -> bool {
    (1..=MAX_REQUEST_ID).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

/// The trace id of a W3C `traceparent`: version, trace id, parent id, flags.
fn trace_of_traceparent(header: &str) -> Option<&str> {
    let mut parts = header.split('-');
    let (version, trace, parent) = (parts.next()?, parts.next()?, parts.next()?);
    let is_hex = |s: &str, len| {
        s.len() == len && s.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let is_zero = |s: &str| s.bytes().all(|b| b == b'0');
    let sane = is_hex(version, 2) && version != "ff" && is_hex(trace, 32) && is_hex(parent, 16);
    (sane && !is_zero(trace) && !is_zero(parent)).then_some(trace)
}

/// 32 hexadecimal digits, never all zero. Needs to be unlikely to repeat, not hard to guess.
fn random_hex() -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let number = fastrand::u128(1..);
    (0..32).rev().map(|i| DIGITS[(number >> (i * 4)) as usize & 15] as char).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(name: HeaderName, value: &str) -> Ids {
        Ids::from_headers(&HeaderMap::from_iter([(name, value.parse().unwrap())]))
    }

    #[test]
    fn a_sane_request_id_is_taken_over_and_any_other_replaced() {
        assert_eq!(ids(REQUEST_ID, "order-17.b_2").request, "order-17.b_2");
        for bad in ["", "a b", "x\"y", &"a".repeat(65)] {
            assert_eq!(ids(REQUEST_ID, bad).request.len(), 32, "{bad}");
        }
    }

    #[test]
    fn the_trace_id_comes_from_traceparent_if_that_is_valid() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        assert_eq!(ids(TRACEPARENT, &format!("00-{trace}-00f067aa0ba902b7-01")).trace, trace);
        for bad in [
            format!("ff-{trace}-00f067aa0ba902b7-01"),
            format!("00-{trace}-0000000000000000-01"),
            format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            format!("00-{}-00f067aa0ba902b7-01", trace.to_uppercase()),
            "garbage".to_owned(),
        ] {
            assert_ne!(ids(TRACEPARENT, &bad).trace, trace, "{bad}");
        }
    }
}
