//! W3C Trace Context: `traceparent` and `tracestate`, read from incoming requests and written to
//! the requests of our own clients.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator},
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
};
use opentelemetry_sdk::propagation::TraceContextPropagator;

mod tracestate;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// Member of `tracestate` that marks a trace which this process keeps.
const KEPT: &str = "chokepoint";

/// Span of the client; None without a valid `traceparent`.
pub fn parent(headers: &HeaderMap) -> Option<SpanContext> {
    // Most requests have no header, and then nothing is built. Two headers are ambiguous.
    let mut sent = headers.get_all(TRACEPARENT).iter();
    let (parent, None) = (sent.next()?, sent.next()) else { return None };
    let parent = parent.to_str().ok().filter(|header| is_well_formed(header))?;
    let sent = Sent { parent, state: tracestate::of(headers) };
    let cx = TraceContextPropagator::new().extract_with_context(&Context::new(), &sent);
    let parent = cx.span().span_context().clone();
    parent.is_valid().then_some(parent)
}

/// Checks the form, because the propagator takes short ids, and signs for digits.
fn is_well_formed(header: &str) -> bool {
    let is_hex = |part: &str, digits| {
        let is_digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        part.len() == digits && part.bytes().all(is_digit)
    };
    let mut parts = header.split('-');
    let are_hex = [2, 32, 16, 2]
        .into_iter()
        .all(|digits| parts.next().is_some_and(|part| is_hex(part, digits)));
    // Only a future version may have more parts.
    are_hex && (parts.next().is_none() || !header.starts_with("00"))
}

/// Creates the root of a trace that one of our clients begins, with the sampled flag.
pub fn root() -> SpanContext {
    let trace_id = TraceId::from(fastrand::u128(1..));
    let span_id = SpanId::from(fastrand::u64(1..));
    SpanContext::new(trace_id, span_id, TraceFlags::SAMPLED, false, TraceState::NONE)
}

/// Marks a trace that is recorded here and not sampled, such as one of the first of its route: a
/// service in this process then keeps its part too, and nobody else stores anything.
pub fn as_kept(span: &SpanContext) -> SpanContext {
    if span.is_sampled() {
        return span.clone();
    }
    // The key and the value are valid, so it can't fail.
    let marked = span.trace_state().insert(KEPT, "kept");
    let state = marked.unwrap_or_else(|_| span.trace_state().clone());
    SpanContext::new(span.trace_id(), span.span_id(), span.trace_flags(), false, state)
}

/// True for a parent that `as_kept` has marked.
pub fn is_kept(parent: &SpanContext) -> bool {
    parent.trace_state().get(KEPT).is_some()
}

/// Sets trace headers for a child of `parent`, and removes those of any other trace.
pub fn inject(parent: &SpanContext, headers: &mut HeaderMap) {
    let cx = Context::new().with_remote_span_context(parent.clone());
    TraceContextPropagator::new().inject_context(&cx, &mut ToSend(headers));
}

struct ToSend<'a>(&'a mut HeaderMap);

impl Injector for ToSend<'_> {
    fn set(&mut self, key: &str, value: String) {
        let Ok(name) = HeaderName::try_from(key) else { return };
        match HeaderValue::try_from(value) {
            Ok(value) if !value.is_empty() => drop(self.0.insert(name, value)),
            // A header that is there already belongs to another trace.
            _ => drop(self.0.remove(name)),
        }
    }
}

struct Sent<'a> {
    parent: &'a str,
    state: Option<String>,
}

impl Extractor for Sent<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        if key == "traceparent" { Some(self.parent) } else { self.state.as_deref() }
    }

    fn keys(&self) -> Vec<&str> {
        vec!["traceparent", "tracestate"]
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
            format!("00-{TRACE}-00f067aa0ba902b7-01-"),
            "garbage".to_owned(),
        ] {
            assert_eq!(parent_of(&bad), None, "{bad}");
        }
        assert_eq!(parent(&HeaderMap::new()), None);
    }
    #[test]
    fn what_is_injected_is_what_a_server_takes() {
        for state in ["", "vendor=value,other=t61rcWkgMzE"] {
            for is_sampled in [false, true] {
                let root = root();
                let sent = SpanContext::new(
                    root.trace_id(),
                    root.span_id(),
                    TraceFlags::default().with_sampled(is_sampled),
                    false,
                    state.parse().unwrap(),
                );
                // Headers of another trace, such as the sender's own.
                let mut headers = HeaderMap::from_iter([
                    (TRACEPARENT, format!("00-{TRACE}-00f067aa0ba902b7-01").parse().unwrap()),
                    (HeaderName::from_static("tracestate"), "old=1".parse().unwrap()),
                ]);
                inject(&sent, &mut headers);
                assert_eq!(headers.contains_key("tracestate"), !state.is_empty());
                let taken = parent(&headers).unwrap();
                assert_eq!(taken.trace_id(), sent.trace_id());
                assert_eq!(taken.span_id(), sent.span_id());
                assert_eq!(taken.trace_state().header(), state);
                assert_eq!((taken.is_sampled(), taken.is_remote()), (is_sampled, true));
            }
        }
    }

    #[test]
    fn a_trace_that_is_recorded_only_is_marked_on_its_way() {
        for is_sampled in [false, true] {
            let flags = TraceFlags::default().with_sampled(is_sampled);
            let root = root();
            let state = "vendor=value".parse().unwrap();
            let span = SpanContext::new(root.trace_id(), root.span_id(), flags, false, state);
            let mut headers = HeaderMap::new();
            inject(&as_kept(&span), &mut headers);
            let taken = parent(&headers).unwrap();
            assert_eq!(taken.is_sampled(), is_sampled);
            // A sampled one needs no mark.
            assert_eq!(is_kept(&taken), !is_sampled);
            assert_eq!(taken.trace_state().get("vendor"), Some("value"));
        }
    }

    #[test]
    fn each_root_is_a_trace_of_its_own() {
        let (one, other) = (root(), root());
        assert!(one.is_valid() && other.is_valid());
        assert!(one.is_sampled() && other.is_sampled());
        assert_ne!(one.trace_id(), other.trace_id());
        assert_ne!(one.span_id(), other.span_id());
    }

    #[test]
    fn what_is_no_span_is_not_sent() {
        let mut headers = HeaderMap::new();
        inject(&SpanContext::NONE, &mut headers);
        assert!(headers.is_empty());
    }
}
