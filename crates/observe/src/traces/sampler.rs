//! Head sampler: decides before a request's first span if the request is traced, for all its spans.
//!
//! Exported are the requests that the standard sampler takes. The span store also keeps those with
//! a sampled `traceparent`, or one of this process' own kept traces, and the first few of each second of every route: all clicks of a
//! person, and so few of a load that they cost nothing.

use std::{
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use opentelemetry::{
    Context, KeyValue,
    trace::{Link, SpanContext, SpanId, SpanKind, TraceContextExt, TraceId, TraceState},
};
use opentelemetry_sdk::trace::{IdGenerator, SamplingDecision, SamplingResult, ShouldSample};

use super::propagation;

/// Most traces of one route that are kept in one second, but for those that a client asks for. No
/// person clicks faster, and their spans cost a load next to nothing.
const RECENT_PER_SECOND: u64 = 20;

/// Sampling decision about one request, in the context of all its spans.
#[derive(Clone, Copy, Debug)]
pub struct Decision {
    pub trace_id: TraceId,
    pub is_exported: bool,
}

/// Sampler of requests before their first span, and of spans by the decision about their request.
#[derive(Clone, Debug)]
pub struct HeadSampler {
    /// Sampler of exports; None if nothing is exported.
    export: Option<Box<dyn ShouldSample>>,
}

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Requests of a route kept in this second, plus the seconds since the start times `COUNT`.
#[derive(Debug, Default)]
pub struct Recent(AtomicU64);

impl Recent {
    const COUNT: u64 = RECENT_PER_SECOND + 1;

    /// Returns true if one more may be kept now.
    fn take(&self, now: Duration) -> bool {
        let second = now.as_secs() * Self::COUNT;
        let last = self.0.load(Relaxed);
        let next = if last < second { second + 1 } else { last + 1 };
        // Two requests at once may take the same place: the limit need not be exact.
        if next - second > RECENT_PER_SECOND {
            return false;
        }
        self.0.store(next, Relaxed);
        true
    }
}

impl HeadSampler {
    pub fn new(export: Option<Box<dyn ShouldSample>>) -> Self {
        Self { export }
    }

    /// Decides if a request is traced. `recent` limits the traces of its route.
    pub fn decide(
        &self,
        trace_id: impl Fn() -> TraceId,
        parent: Option<&SpanContext>,
        recent: &Recent,
        now: Instant,
    ) -> Option<Decision> {
        let is_exported =
            self.export.as_deref().is_some_and(|sampler| takes(sampler, trace_id(), parent));
        let is_kept = || match parent {
            Some(parent) => parent.is_sampled() || propagation::is_kept(parent),
            None => recent.take(now.saturating_duration_since(*START)),
        };
        (is_exported || is_kept()).then(|| Decision { trace_id: trace_id(), is_exported })
    }
}

fn takes(sampler: &dyn ShouldSample, trace_id: TraceId, parent: Option<&SpanContext>) -> bool {
    let cx = match parent {
        Some(parent) => Context::new().with_remote_span_context(parent.clone()),
        None => Context::new(),
    };
    let result = sampler.should_sample(Some(&cx), trace_id, "", &SpanKind::Server, &[], &[]);
    result.decision == SamplingDecision::RecordAndSample
}

/// Every span of a request follows the decision about it, which its context inherits.
impl ShouldSample for HeadSampler {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        _: TraceId,
        _: &str,
        _: &SpanKind,
        _: &[KeyValue],
        _: &[Link],
    ) -> SamplingResult {
        let decision = match parent.and_then(Context::get::<Decision>) {
            Some(head) if head.is_exported => SamplingDecision::RecordAndSample,
            Some(_) => SamplingDecision::RecordOnly,
            None => SamplingDecision::Drop,
        };
        let trace_state = parent.map_or_else(TraceState::default, |parent| {
            parent.span().span_context().trace_state().clone()
        });
        SamplingResult { decision, attributes: Vec::new(), trace_state }
    }
}

/// Id generator that takes the request's trace id: answers and log lines name it even untraced.
#[derive(Debug)]
pub struct Ids;

impl IdGenerator for Ids {
    fn new_trace_id(&self) -> TraceId {
        let of_request = Context::map_current(|cx| cx.get::<Decision>().map(|head| head.trace_id));
        of_request.unwrap_or_else(|| TraceId::from(fastrand::u128(1..)))
    }

    fn new_span_id(&self) -> SpanId {
        SpanId::from(fastrand::u64(1..))
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_sdk::trace::Sampler;

    use super::*;

    fn parent(flags: u8) -> SpanContext {
        use opentelemetry::trace::TraceFlags;
        let flags = TraceFlags::new(flags);
        let id = SpanId::from(1_u64);
        SpanContext::new(TraceId::from(1_u128), id, flags, true, TraceState::default())
    }

    #[test]
    fn a_route_keeps_the_first_few_of_each_second() {
        let recent = Recent::default();
        let kept = |second| {
            (0..100).filter(|_| recent.take(Duration::from_millis(second * 1_000_u64))).count()
        };
        let few = RECENT_PER_SECOND as usize;
        assert_eq!((kept(1_000), kept(1_000), kept(1_001), kept(2_000)), (few, 0, few, few));
    }

    #[test]
    fn a_traceparent_decides_and_what_has_none_is_among_the_first_few() {
        let (sampler, recent, now) = (HeadSampler::new(None), Recent::default(), Instant::now());
        let kept = |parent: Option<&SpanContext>| {
            sampler.decide(|| TraceId::from(1_u128), parent, &recent, now).is_some()
        };
        for _ in 0..1_000 {
            assert!(kept(Some(&parent(1))));
            assert!(!kept(Some(&parent(0))));
        }
        assert_eq!((0..1_000).filter(|_| kept(None)).count(), RECENT_PER_SECOND as usize);
    }

    #[test]
    fn what_is_exported_is_up_to_the_sampler_alone() {
        let is_exported = |sampler: Sampler, parent: Option<&SpanContext>| {
            let sampler = HeadSampler::new(Some(Box::new(sampler)));
            let recent = Recent::default();
            let head = sampler.decide(|| TraceId::from(1_u128), parent, &recent, Instant::now());
            head.is_some_and(|head| head.is_exported)
        };
        let parent_based = |root| Sampler::ParentBased(Box::new(root));
        assert!(is_exported(parent_based(Sampler::AlwaysOn), None));
        assert!(!is_exported(parent_based(Sampler::AlwaysOn), Some(&parent(0))));
        assert!(is_exported(parent_based(Sampler::AlwaysOff), Some(&parent(1))));
        assert!(is_exported(Sampler::AlwaysOn, Some(&parent(0))));
        assert!(!is_exported(Sampler::TraceIdRatioBased(0.0), None));
    }
}
