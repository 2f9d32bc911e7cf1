//! The trace that a request belongs to, as W3C Trace Context has it: `traceparent` and `tracestate`.

use axum::http::{HeaderMap, HeaderName};
use opentelemetry::{
    Context,
    propagation::{Extractor, TextMapPropagator},
    trace::{SpanContext, TraceContextExt},
};
use opentelemetry_sdk::propagation::TraceContextPropagator;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The client's span, if it names a valid one.
pub fn parent(headers: &HeaderMap) -> Option<SpanContext> {
    // Most requests have none, and then nothing is built.
    headers.get(TRACEPARENT)?.to_str().ok().filter(|header| is_well_formed(header))?;
    let cx = TraceContextPropagator::new().extract_with_context(&Context::new(), &Sent(headers));
    let parent = cx.span().span_context().clone();
    parent.is_valid().then_some(parent)
}

/// The propagator takes ids that are too short, and signs for digits.
fn is_well_formed(header: &str) -> bool {
    let is_hex = |part: &str, digits| {
        let is_digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        part.len() == digits && part.bytes().all(is_digit)
    };
    let mut parts = header.split('-');
    [2, 32, 16, 2].into_iter().all(|digits| parts.next().is_some_and(|part| is_hex(part, digits)))
}

struct Sent<'a>(&'a HeaderMap);

impl Extractor for Sent<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn parent_of(header: &str) -> Option<SpanContext> {
        parent(&HeaderMap::from_iter([(TRACEPARENT, header.parse().unwrap())]))
    }

    #[test]
    fn a_valid_traceparent_is_taken_with_its_flags() {
        for (flags, is_sampled) in [("00", false), ("01", true), ("03", true)] {
            let parent = parent_of(&format!("00-{TRACE}-00f067aa0ba902b7-{flags}")).unwrap();
            assert_eq!(parent.trace_id().to_string(), TRACE);
            assert_eq!(parent.span_id().to_string(), "00f067aa0ba902b7");
            assert_eq!((parent.is_sampled(), parent.is_remote()), (is_sampled, true));
        }
    }

    #[test]
    fn any_other_is_as_good_as_none() {
        for bad in [
            format!("ff-{TRACE}-00f067aa0ba902b7-01"),
            format!("00-{TRACE}-0000000000000000-01"),
            format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            format!("00-{}-00f067aa0ba902b7-01", TRACE.to_uppercase()),
            format!("00-{}-00f067aa0ba902b7-01", &TRACE[1..]),
            format!("00-+{}-00f067aa0ba902b7-01", &TRACE[1..]),
            format!("00-{TRACE}-00f067aa0ba902b7-01-more"),
            "garbage".to_owned(),
        ] {
            assert_eq!(parent_of(&bad), None, "{bad}");
        }
        assert_eq!(parent(&HeaderMap::new()), None);
    }
}
