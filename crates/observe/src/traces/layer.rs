//! Sends exported spans to tracing-opentelemetry's layer, and all others to the recorder.

use std::{any::TypeId, sync::Arc};

use opentelemetry_sdk::trace::SdkTracer;
use tracing::{
    Event, Subscriber,
    span::{Attributes, Id, Record},
};
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

use super::{recorder::Recorder, ring::TraceRing};

/// Layer that turns spans of `tracing` into spans of traces.
pub struct SpanLayer<S> {
    exported: OpenTelemetryLayer<S, SdkTracer>,
    recorder: Recorder,
}

impl<S> SpanLayer<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    pub fn new(tracer: SdkTracer, recent: Arc<TraceRing>) -> Self {
        let layer = tracing_opentelemetry::layer().with_tracer(tracer);
        // A span carries its name and the conventions' attributes; more would cost every span.
        let exported = layer
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_context_activation(false);
        Self { exported, recorder: Recorder::new(recent) }
    }
}

impl<S> Layer<S> for SpanLayer<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, cx: Context<'_, S>) {
        if !self.recorder.new_span(attributes, id, &cx) {
            self.exported.on_new_span(attributes, id, cx);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, cx: Context<'_, S>) {
        if !self.recorder.record(id, values, &cx) {
            self.exported.on_record(id, values, cx);
        }
    }

    fn on_event(&self, event: &Event<'_>, cx: Context<'_, S>) {
        if !self.recorder.event(event, &cx) {
            self.exported.on_event(event, cx);
        }
    }

    fn on_exit(&self, id: &Id, cx: Context<'_, S>) {
        self.exported.on_exit(id, cx);
    }

    fn on_close(&self, id: Id, cx: Context<'_, S>) {
        if !self.recorder.close(&id, &cx) {
            self.exported.on_close(id, cx);
        }
    }

    #[expect(unsafe_code, reason = "a span's OpenTelemetry context is found by this alone")]
    // SAFETY: the pointer is to this layer or to a part of it, and lives as long as it does.
    unsafe fn downcast_raw(&self, id: TypeId) -> Option<*const ()> {
        if id == TypeId::of::<Self>() {
            return Some(std::ptr::from_ref(self).cast());
        }
        // SAFETY: the caller must not use the pointer for longer than this layer lives.
        unsafe { self.exported.downcast_raw(id) }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{Arc, Mutex},
        time::{Duration, SystemTime},
    };

    use opentelemetry::trace::TracerProvider;
    use opentelemetry_sdk::{
        error::OTelSdkResult,
        trace::{SdkTracerProvider, Span, SpanData, SpanProcessor},
    };
    use tracing::subscriber::with_default;
    use tracing_subscriber::{Registry, layer::SubscriberExt};

    use super::*;

    #[derive(Clone, Debug, Default)]
    struct Ended(Arc<Mutex<Vec<SpanData>>>);

    impl SpanProcessor for Ended {
        fn on_start(&self, _: &mut Span, _: &opentelemetry::Context) {}

        fn on_end(&self, span: SpanData) {
            self.0.lock().unwrap().push(span);
        }

        fn force_flush(&self) -> OTelSdkResult {
            Ok(())
        }

        fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
            Ok(())
        }
    }

    /// Names of the spans in the order of their end times.
    fn in_order_of_ends(happens: impl FnOnce()) -> Vec<String> {
        let ended = Ended::default();
        let provider = SdkTracerProvider::builder().with_span_processor(ended.clone()).build();
        let layer = SpanLayer::new(provider.tracer("test"), TraceRing::start(1024 * 1024));
        with_default(Registry::default().with(layer), happens);
        let mut spans = std::mem::take(&mut *ended.0.lock().unwrap());
        spans.sort_by_key(|span| span.end_time);
        spans.into_iter().map(|span| span.name.into_owned()).collect()
    }

    #[test]
    fn a_span_ends_with_its_last_exit_however_often_it_is_entered_within_itself() {
        let tick = || {
            let before = SystemTime::now();
            while SystemTime::now() <= before {}
        };
        let ends = in_order_of_ends(|| {
            let outer = tracing::info_span!("outer");
            let inner = tracing::info_span!("inner");
            outer.in_scope(|| {
                outer.in_scope(|| outer.in_scope(tick));
                inner.in_scope(|| outer.in_scope(|| inner.in_scope(tick)));
                tick();
                tracing::info_span!("beside").in_scope(tick);
                tick();
            });
            tick();
            tracing::info_span!("after").in_scope(tick);
            // Closed only now, and ended long before.
            drop((outer, inner));
        });
        assert_eq!(ends, ["inner", "beside", "outer", "after"]);
    }
}
