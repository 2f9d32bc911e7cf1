//! Traces. The head sampler decides before a request's first span if it is traced. An untraced
//! request has no span, and traces cost it nothing: the span filter refuses spans without a parent.
//! tracing-opentelemetry's layer turns the spans of all others into OpenTelemetry's. Those that the
//! sampler exports are sampled, and go to the exporter and the span store; the rest is recorded
//! only, for the store.

use std::{sync::OnceLock, time::Duration};

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::{Config, SdkTracer, SdkTracerProvider};
use tracing::Subscriber;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::registry::LookupSpan;

use crate::{
    Program,
    settings::{OtelConfig, otel_variables},
};

/// Batch exporter, whose losses are counted and reported once a minute.
mod export;
/// OTLP exporter, and the resource it names.
mod otlp;
/// W3C Trace Context of requests.
pub mod propagation;
/// Time in which a request was ready and no worker polled it.
pub mod ready;
/// Span of a request.
pub mod request;
/// Head sampler: decides which requests are traced.
mod sampler;
/// Filter of spans and events.
pub mod span_filter;
/// Span store of the recent traces, in this process.
pub mod store;
/// HTTP client and TLS of exports.
mod transport;
/// Spans of waits.
mod waits;

pub use sampler::{HeadSampler, Recent};
use store::SpanStore;
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
    /// Runtime of the exporter's connection, on a thread of its own; ends after the provider.
    _runtime: Option<tokio::runtime::Runtime>,
}

impl Traces {
    /// Sets up traces. `recent` keeps the traces that this server shows itself.
    ///
    /// # Errors
    /// Returns one line that names a variable that can't be used.
    pub fn init(program: &Program, config: &OtelConfig, recent: SpanStore) -> Result<Self, String> {
        otel_variables::check()?;
        if config.disabled {
            return Ok(Self { provider: None, sampler: None, _runtime: None });
        }
        let exporter = otlp::exporter(config)?;
        // The SDK's own sampler, as the variables name it.
        let sampler = HeadSampler::new(exporter.as_ref().map(|_| Config::default().sampler));
        let mut provider = SdkTracerProvider::builder()
            .with_resource(otlp::resource(program))
            .with_sampler(sampler.clone())
            .with_id_generator(sampler::Ids)
            .with_span_processor(recent);
        let mut runtime = None;
        if let Some((exporter, carrier)) = exporter {
            provider = provider.with_span_processor(export::processor(exporter));
            runtime = Some(carrier);
        }
        let provider = provider.build();
        // The first tracer of a process stays: tests start several servers, with one telemetry.
        let _ = TRACER.set(provider.tracer(TRACER_NAME));
        Ok(Self { provider: Some(provider), sampler: Some(sampler), _runtime: runtime })
    }

    /// Head sampler; None if traces are disabled.
    pub fn sampler(&self) -> Option<HeadSampler> {
        self.sampler.clone()
    }

    /// Layer that turns spans of `tracing` into spans of traces; None if traces are disabled.
    pub fn layer<S>(&self) -> Option<OpenTelemetryLayer<S, SdkTracer>>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let tracer = self.provider.as_ref()?.tracer(TRACER_NAME);
        // A span carries its name and the conventions' attributes; more would cost every span.
        let layer = tracing_opentelemetry::layer()
            .with_tracer(tracer)
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_context_activation(false);
        Some(layer)
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

#[cfg(test)]
mod tests;
