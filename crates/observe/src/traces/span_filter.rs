//! Filter of spans and events: events by the log's filter, spans by the sampling decision.

use tracing::{Level, Metadata, Subscriber, level_filters::LevelFilter, subscriber::Interest};
use tracing_subscriber::{
    Layer,
    layer::{Context, Filter},
    registry::LookupSpan,
};

use super::request;
use crate::log_filter::LogFilter;

/// Most verbose level of spans in a trace: `info_span!`.
const SPANS: Level = Level::INFO;

/// Span filter for all layers: one for each is slower. It also works as the filter of one layer.
#[derive(Clone)]
pub struct SpanFilter {
    events: LogFilter,
}

impl SpanFilter {
    /// Creates the filter. `events` is the log's filter, which can't hide the spans of traces.
    pub fn new(events: LogFilter) -> Self {
        Self { events }
    }

    fn interest(&self, metadata: &'static Metadata<'static>) -> Interest {
        if !metadata.is_span() {
            return match self.events.shows(metadata) {
                true => Interest::always(),
                false => Interest::never(),
            };
        }
        match (is_request(metadata), self.is_ours(metadata)) {
            (true, _) => Interest::always(),
            (false, true) => Interest::sometimes(),
            (false, false) => Interest::never(),
        }
    }

    /// True for logged events, and for spans with a parent: a request that isn't traced has none.
    fn sees<S>(&self, metadata: &Metadata<'_>, cx: &Context<'_, S>) -> bool
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        if !metadata.is_span() {
            return self.events.shows(metadata);
        }
        // As the filter of one layer it is asked about spans of libraries too.
        is_request(metadata) || (self.is_ours(metadata) && cx.lookup_current().is_some())
    }

    /// True for spans of the program: those of libraries are not part of a trace.
    fn is_ours(&self, metadata: &Metadata<'_>) -> bool {
        self.events.is_ours(metadata) && *metadata.level() <= SPANS
    }

    fn most_verbose(&self) -> Option<LevelFilter> {
        Some(self.events.most_verbose().max(LevelFilter::from_level(SPANS)))
    }
}

fn is_request(metadata: &Metadata<'_>) -> bool {
    metadata.name() == request::NAME && metadata.target() == request::TARGET
}

impl<S> Layer<S> for SpanFilter
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        self.interest(metadata)
    }

    fn enabled(&self, metadata: &Metadata<'_>, cx: Context<'_, S>) -> bool {
        self.sees(metadata, &cx)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        self.most_verbose()
    }
}

impl<S> Filter<S> for SpanFilter
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn enabled(&self, metadata: &Metadata<'_>, cx: &Context<'_, S>) -> bool {
        self.sees(metadata, cx)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        self.interest(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        self.most_verbose()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing::{Event, Subscriber, span};
    use tracing_subscriber::{Registry, layer::SubscriberExt};

    use super::*;

    /// Records new spans and events.
    #[derive(Clone, Default)]
    struct Seen(Arc<Mutex<Vec<&'static str>>>);

    impl<S: Subscriber> Layer<S> for Seen {
        fn on_new_span(&self, attributes: &span::Attributes<'_>, _: &span::Id, _: Context<'_, S>) {
            self.0.lock().unwrap().push(attributes.metadata().name());
        }

        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            self.0.lock().unwrap().push(event.metadata().target());
        }
    }

    fn happens() {
        tracing::info_span!(target: "chokepoint::db", "beside").in_scope(|| {});
        tracing::error_span!(target: request::TARGET, "request").in_scope(|| {
            tracing::info_span!(target: "hyper", "library").in_scope(|| {
                tracing::info_span!(target: "chokepoint::db", "below").in_scope(|| {});
                tracing::debug_span!(target: "chokepoint::db", "detail").in_scope(|| {});
            });
            tracing::warn!(target: "chokepoint::db", "warning");
            tracing::info!(target: "chokepoint::api", "quiet");
            tracing::error!(target: "opentelemetry_sdk", "export failed");
        });
    }

    #[test]
    fn spans_are_seen_below_a_request_and_events_by_that_of_the_log() {
        let filter =
            |text: &str| SpanFilter::new(LogFilter::new(text.parse().unwrap(), &["chokepoint"]));
        let seen_by = |subscriber: &dyn Fn(Seen) -> tracing::Dispatch| {
            let seen = Seen::default();
            tracing::dispatcher::with_default(&subscriber(seen.clone()), happens);
            seen.0.lock().unwrap().clone()
        };
        let for_all = |text: &'static str| {
            move |seen: Seen| Registry::default().with(seen).with(filter(text)).into()
        };
        assert_eq!(seen_by(&for_all("warn")), ["request", "below", "chokepoint::db"]);
        assert_eq!(seen_by(&for_all("off")), ["request", "below"]);
        assert_eq!(
            seen_by(&for_all("off,opentelemetry=error")),
            ["request", "below", "opentelemetry_sdk"]
        );
        // Beside a layer that wants everything, as tokio-console's does.
        let for_one = |seen: Seen| {
            Registry::default().with(seen.with_filter(filter("off"))).with(Seen::default()).into()
        };
        assert_eq!(seen_by(&for_one), ["request", "below"]);
    }
}
