//! Decision sampler: decides before a request's first span if the request is traced, for all its spans.
//!
//! Exported are the requests that the standard sampler takes. This server itself shows all requests
//! of a lab, all with a sampled `traceparent`, and the first few of each second of every other
//! route: all clicks of a person, and so few of a load that they cost nothing.

use std::{
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use opentelemetry::{
    Context, KeyValue,
    trace::{Link, SpanContext, SpanId, SpanKind, TraceContextExt, TraceId, TraceState},
};
use opentelemetry_sdk::trace::{
    IdGenerator, Sampler, SamplingDecision, SamplingResult, ShouldSample,
};

use crate::settings::{OtelConfig, Share};

/// Most traces of one route that are kept in one second, unless the route is a lab's.
const RECENT_PER_SECOND: u64 = 10;

/// Sampling decision about one request. The context of its spans carries it if they are exported.
#[derive(Clone, Copy, Debug)]
pub struct Decision {
    pub trace_id: TraceId,
    pub is_exported: bool,
}

/// Decision sampler, which takes the decisions.
#[derive(Clone, Debug)]
pub struct HeadSampler(Arc<Readers>);

#[derive(Debug)]
struct Readers {
    /// None if nothing is exported.
    export: Option<Sampler>,
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
    pub fn new(export: Option<Sampler>) -> Self {
        Self(Arc::new(Readers { export }))
    }

    /// Decides if a request is traced. `recent` limits the traces of its route; None keeps all.
    pub fn decide(
        &self,
        trace_id: impl Fn() -> TraceId,
        parent: Option<&SpanContext>,
        recent: Option<&Recent>,
        now: Instant,
    ) -> Option<Decision> {
        let is_exported =
            self.0.export.as_ref().is_some_and(|sampler| takes(sampler, trace_id(), parent));
        let is_kept = || match (recent, parent) {
            (None, _) => true,
            (_, Some(parent)) => parent.is_sampled(),
            (Some(recent), None) => recent.take(now.saturating_duration_since(*START)),
        };
        (is_exported || is_kept()).then(|| Decision { trace_id: trace_id(), is_exported })
    }
}

fn takes(sampler: &Sampler, trace_id: TraceId, parent: Option<&SpanContext>) -> bool {
    let cx = match parent {
        Some(parent) => Context::new().with_remote_span_context(parent.clone()),
        None => Context::new(),
    };
    let result = sampler.should_sample(Some(&cx), trace_id, "", &SpanKind::Server, &[], &[]);
    result.decision == SamplingDecision::RecordAndSample
}

/// Sampler of exports, as the settings name it.
pub fn sampler(config: &OtelConfig) -> Sampler {
    let ratio = || Sampler::TraceIdRatioBased(config.sampler_arg.0.unwrap_or(1.0));
    let of_share = |share| match share {
        Share::All => Sampler::AlwaysOn,
        Share::None => Sampler::AlwaysOff,
        Share::Ratio => ratio(),
    };
    match config.sampler.0 {
        None => Sampler::ParentBased(Box::new(Sampler::AlwaysOn)),
        Some(named) if named.is_parent_based => {
            Sampler::ParentBased(Box::new(of_share(named.share)))
        }
        Some(named) => of_share(named.share),
    }
}

/// Every span of a request follows the sampling decision about it.
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
            Some(_) => SamplingDecision::RecordAndSample,
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
    fn a_lab_is_always_kept_and_what_a_parent_says_goes_for_the_rest() {
        let sampler = HeadSampler::new(None);
        let recent = Recent::default();
        let kept = |parent: Option<&SpanContext>, recent| {
            sampler.decide(|| TraceId::from(1_u128), parent, recent, Instant::now()).is_some()
        };
        for _ in 0..1_000 {
            assert!(kept(None, None) && kept(Some(&parent(0)), None));
            assert!(kept(Some(&parent(1)), Some(&recent)));
            assert!(!kept(Some(&parent(0)), Some(&recent)));
        }
        let of_many = (0..1_000).filter(|_| kept(None, Some(&recent))).count();
        assert!((1..=50).contains(&of_many), "{of_many}");
    }

    #[test]
    fn what_is_exported_is_up_to_the_sampler_alone() {
        let is_exported = |sampler: Sampler, parent: Option<&SpanContext>| {
            let sampler = HeadSampler::new(Some(sampler));
            let head = sampler.decide(|| TraceId::from(1_u128), parent, None, Instant::now());
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
