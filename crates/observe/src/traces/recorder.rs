//! Recorder of spans that are not exported: writes them straight into the ring of recent traces.
//! Their content equals that of tracing-opentelemetry's layer, at far less cost: each request of a
//! lab has a trace, and pays for it.

use std::{
    cell::{Cell, RefCell},
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};
use tracing::{
    Event, Span, Subscriber,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{layer::Context, registry::LookupSpan};

use super::ring::{
    TraceRing,
    packed::{Names, Packed},
};

/// Conversion of fields.
mod fields;

use fields::{OfSpan, event};

thread_local! {
    /// Trace and parent of the next request span of this thread.
    static NEXT: RefCell<Option<(TraceId, Option<SpanContext>)>> = const { RefCell::new(None) };
    /// Begin and end of the next span of this thread, if it is over already.
    static LASTED: Cell<Option<(SystemTime, SystemTime)>> = const { Cell::new(None) };
}

/// Makes the request's span with `make`, recorded in `trace` below the client's span.
pub fn begin(trace: TraceId, parent: Option<SpanContext>, make: impl FnOnce() -> Span) -> Span {
    NEXT.set(Some((trace, parent)));
    let span = make();
    NEXT.take();
    span
}

/// Makes a span that is over already: it began at `since` and lasted for `time`.
pub fn lasted(since: Instant, time: Duration, make: impl FnOnce() -> Span) {
    let began = SystemTime::now() - since.elapsed();
    LASTED.set(Some((began, began + time)));
    drop(make());
    LASTED.take();
}

/// Fills the ring. Each method returns false and does nothing if the span is not recorded here.
pub struct Recorder(Arc<TraceRing>);

/// Open span, stored in its extensions.
struct Recorded {
    /// None once the span has ended.
    packed: Option<Packed>,
    trace: TraceId,
    id: SpanId,
    state: TraceState,
    /// True for the request itself, which ends when its cost is recorded: a thread of the database
    /// driver or a task may hold its span for longer. Any other span ends when it is closed.
    is_request: bool,
    /// End of a span that is over already.
    ended: Option<SystemTime>,
}

impl Recorded {
    fn new(
        trace: TraceId,
        parent: SpanId,
        is_parent_remote: bool,
        state: TraceState,
        attributes: &Attributes<'_>,
    ) -> Self {
        let id = SpanId::from(fastrand::u64(1..));
        let lasted = LASTED.take();
        let began = lasted.map_or_else(SystemTime::now, |(began, _)| began);
        let flags = TraceFlags::NOT_SAMPLED;
        let names = Names { trace, span: id, parent, is_parent_remote, flags };
        let mut packed = Packed::new(&names, began);
        packed.name(attributes.metadata().name());
        packed.state(&state);
        attributes.record(&mut OfSpan(&mut packed));
        let ended = lasted.map(|(_, ended)| ended);
        Self { packed: Some(packed), trace, id, state, is_request: false, ended }
    }

    fn identity(&self) -> (TraceId, SpanId, TraceState) {
        (self.trace, self.id, self.state.clone())
    }
}

impl Recorder {
    pub fn new(ring: Arc<TraceRing>) -> Self {
        Self(ring)
    }

    pub fn new_span<S>(&self, attributes: &Attributes<'_>, id: &Id, cx: &Context<'_, S>) -> bool
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let Some(span) = cx.span(id) else { return false };
        let parent = match attributes.parent() {
            Some(parent) => cx.span(parent),
            // Tokio's own spans, which this layer does not see, may lie between.
            None if attributes.is_contextual() => cx.lookup_current(),
            None => None,
        };
        let recorded = match parent {
            Some(parent) => {
                // Values are formatted without the lock: they might log.
                let above = parent.extensions().get::<Recorded>().map(Recorded::identity);
                let Some((trace, parent, state)) = above else { return false };
                Recorded::new(trace, parent, false, state, attributes)
            }
            None => {
                let Some((trace, parent)) = NEXT.take() else { return false };
                let is_parent_remote = parent.is_some();
                let parent = parent.unwrap_or(SpanContext::NONE);
                let state = parent.trace_state().clone();
                let of =
                    Recorded::new(trace, parent.span_id(), is_parent_remote, state, attributes);
                Recorded { is_request: true, ..of }
            }
        };
        span.extensions_mut().insert(recorded);
        true
    }

    pub fn record<S>(&self, id: &Id, values: &Record<'_>, cx: &Context<'_, S>) -> bool
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        with(id, cx, |span| {
            let Some(packed) = &mut span.packed else { return };
            // These values are numbers and names, which don't log.
            values.record(&mut OfSpan(packed));
            if span.is_request {
                self.end(span);
            }
        })
    }

    pub fn event<S>(&self, happened: &Event<'_>, cx: &Context<'_, S>) -> bool
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let Some(span) = cx.event_span(happened) else { return false };
        // The event is written before the span is locked: formatting values might log.
        let is_recorded = span.extensions().get::<Recorded>().is_some();
        is_recorded && {
            let event = event(happened);
            with(&span.id(), cx, |span| {
                if let Some(packed) = &mut span.packed {
                    packed.add(&event);
                }
            })
        }
    }

    pub fn close<S>(&self, id: &Id, cx: &Context<'_, S>) -> bool
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let Some(span) = cx.span(id) else { return false };
        let recorded = span.extensions_mut().remove::<Recorded>();
        let Some(mut recorded) = recorded else { return false };
        self.end(&mut recorded);
        true
    }

    fn end(&self, span: &mut Recorded) {
        if let Some(packed) = span.packed.take() {
            self.0.add(&packed.ended(span.ended.unwrap_or_else(SystemTime::now)));
        }
    }
}

fn with<S>(id: &Id, cx: &Context<'_, S>, f: impl FnOnce(&mut Recorded)) -> bool
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let Some(span) = cx.span(id) else { return false };
    let mut extensions = span.extensions_mut();
    extensions.get_mut::<Recorded>().map(f).is_some()
}

#[cfg(test)]
mod tests;
