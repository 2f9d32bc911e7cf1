//! Which requests are traced, decided at their head: before their first span, and for all of them.
//!
//! Two readers, each with a share of its own. What is exported is what the standard sampler takes. What
//! this server shows itself is every request of a lab, every request whose client asks for it by its
//! `traceparent`, and of each other route the first few of each second: all of a person's clicks, and
//! of a load so few that it costs nothing.

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

/// Traces of one route that are kept in one second, if it is no lab's.
const RECENT_PER_SECOND: u64 = 10;

/// The decision about one request. Travels in the context of its spans if they are exported.
#[derive(Clone, Copy, Debug)]
pub struct Head {
    pub trace_id: TraceId,
    pub is_exported: bool,
}

/// Takes the decisions.
#[derive(Clone, Debug)]
pub struct Heads(Arc<Readers>);

#[derive(Debug)]
struct Readers {
    /// None if nothing is exported.
    export: Option<Sampler>,
}

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// How many requests of a route were kept in this second: seconds since the start, times this.
#[derive(Debug, Default)]
pub struct Recent(AtomicU64);

impl Recent {
    const COUNT: u64 = RECENT_PER_SECOND + 1;

    /// Whether one more may be kept now.
    fn take(&self, now: Duration) -> bool {
        let second = now.as_secs() * Self::COUNT;
        let last = self.0.load(Relaxed);
        let next = if last < second { second + 1 } else { last + 1 };
        // Two at the same moment may take the same place: it is a share, not a limit that is owed.
        if next - second > RECENT_PER_SECOND {
            return false;
        }
        self.0.store(next, Relaxed);
        true
    }
}

impl Heads {
    pub fn new(export: Option<Sampler>) -> Self {
        Self(Arc::new(Readers { export }))
    }

    /// Whether a request is traced. `recent` is what its route may keep, or none for all of it.
    pub fn decide(
        &self,
        trace_id: impl Fn() -> TraceId,
        parent: Option<&SpanContext>,
        recent: Option<&Recent>,
        now: Instant,
    ) -> Option<Head> {
        let is_exported =
            self.0.export.as_ref().is_some_and(|sampler| takes(sampler, trace_id(), parent));
        let is_kept = || match (recent, parent) {
            (None, _) => true,
            (_, Some(parent)) => parent.is_sampled(),
            (Some(recent), None) => recent.take(now.saturating_duration_since(*START)),
        };
        (is_exported || is_kept()).then(|| Head { trace_id: trace_id(), is_exported })
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

/// The sampler that the settings name.
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

/// Every span of a request follows the decision about it.
impl ShouldSample for Heads {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        _: TraceId,
        _: &str,
        _: &SpanKind,
        _: &[KeyValue],
        _: &[Link],
    ) -> SamplingResult {
        let decision = match parent.and_then(Context::get::<Head>) {
            Some(_) => SamplingDecision::RecordAndSample,
            None => SamplingDecision::Drop,
        };
        let trace_state = parent.map_or_else(TraceState::default, |parent| {
            parent.span().span_context().trace_state().clone()
        });
        SamplingResult { decision, attributes: Vec::new(), trace_state }
    }
}

/// A request has its trace id before it has a span: its answer and its log lines name it either way.
#[derive(Debug)]
pub struct Ids;

impl IdGenerator for Ids {
    fn new_trace_id(&self) -> TraceId {
        let of_request = Context::map_current(|cx| cx.get::<Head>().map(|head| head.trace_id));
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
        let heads = Heads::new(None);
        let recent = Recent::default();
        let kept = |parent: Option<&SpanContext>, recent| {
            heads.decide(|| TraceId::from(1_u128), parent, recent, Instant::now()).is_some()
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
            let heads = Heads::new(Some(sampler));
            let head = heads.decide(|| TraceId::from(1_u128), parent, None, Instant::now());
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
