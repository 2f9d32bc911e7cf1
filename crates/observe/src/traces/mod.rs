//! Traces. The head sampler (`head`) decides before a request's first span if it is traced. An
//! untraced request has no span, and traces cost it nothing: the span filter (`visible`) refuses
//! spans without a parent. Spans are `tracing`'s (`layer`): those of an exported trace become
//! OpenTelemetry's, for the exporter and the ring; all others go straight into the ring
//! (`recorder`).

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tracing::Subscriber;
use tracing_subscriber::registry::LookupSpan;

use crate::{
    Program,
    settings::{Exporter, OtelConfig},
};

/// Batch exporter, whose losses are counted and reported once a minute.
mod export;
/// Layer from `tracing` to OpenTelemetry.
mod layer;
/// OTLP exporter, and the resource it names.
mod otlp;
/// W3C Trace Context of requests.
pub mod propagation;
/// Recorder of spans that are not exported.
mod recorder;
/// Span of a request.
pub mod request;
/// Span store of the recent traces, in this process.
pub mod ring;
/// Decision sampler: decides which requests are traced.
mod sampler;
/// Filter of spans and events.
pub mod span_filter;
/// HTTP client and TLS of exports.
mod transport;
/// Spans of waits.
mod waits;

use layer::SpanLayer;
use ring::TraceRing;
pub use sampler::{HeadSampler, Recent};
pub use waits::{waited, waiting};

/// Longest time of the last export at the end of the process.
const FLUSHED_WITHIN: Duration = Duration::from_secs(3);

/// Instrumentation scope of every span.
pub(crate) const TRACER_NAME: &str = "chokepoint";

/// Tracer of spans that are made after they ended.
static TRACER: OnceLock<SdkTracer> = OnceLock::new();

/// Pipeline of spans.
pub struct Traces {
    provider: Option<SdkTracerProvider>,
    sampler: Option<HeadSampler>,
    recent: Arc<TraceRing>,
    /// Runtime of the exporter's connection, on a thread of its own; ends after the provider.
    _runtime: Option<tokio::runtime::Runtime>,
}

impl Traces {
    /// Sets up traces. `recent` keeps the traces that this server shows itself.
    ///
    /// # Errors
    /// Returns one line if the exporter can't be built.
    pub fn init(
        program: &Program,
        config: &OtelConfig,
        recent: Arc<TraceRing>,
    ) -> Result<Self, String> {
        if config.disabled {
            return Ok(Self { provider: None, sampler: None, recent, _runtime: None });
        }
        let exports = config.exporter.0 != Some(Exporter::None);
        let target = otlp::Target::of(config).filter(|_| exports);
        let sampler = HeadSampler::new(target.as_ref().map(|_| sampler::sampler(config)));
        let mut provider = SdkTracerProvider::builder()
            .with_resource(otlp::resource(program, config))
            .with_sampler(sampler.clone())
            .with_id_generator(sampler::Ids)
            .with_span_processor(recent.processor());
        let mut runtime = None;
        if let Some(target) = target {
            let (exporter, carrier) = otlp::exporter(&target)?;
            provider = provider.with_span_processor(export::processor(exporter, config));
            runtime = Some(carrier);
        }
        let provider = provider.build();
        // The first tracer of a process stays: tests start several servers, with one telemetry.
        let _ = TRACER.set(provider.tracer(TRACER_NAME));
        Ok(Self { provider: Some(provider), sampler: Some(sampler), recent, _runtime: runtime })
    }

    /// Decision sampler; None if traces are disabled.
    pub fn sampler(&self) -> Option<HeadSampler> {
        self.sampler.clone()
    }

    /// Layer that turns spans of `tracing` into spans of traces; None if traces are disabled.
    pub fn layer<S>(&self) -> Option<SpanLayer<S>>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let provider = self.provider.as_ref()?;
        Some(SpanLayer::new(provider.tracer(TRACER_NAME), self.recent.clone()))
    }

    /// Exports the waiting spans, for `FLUSHED_WITHIN` at most if the endpoint doesn't answer.
    pub fn flush(&self) {
        if let Some(provider) = &self.provider
            && let Err(error) = provider.shutdown_with_timeout(FLUSHED_WITHIN)
        {
            tracing::warn!(%error, "traces that were recorded may not be exported");
        }
    }
}
