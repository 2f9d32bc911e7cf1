//! Traces: which requests have one, what their spans say, and where those go.
//!
//! Whether a request is traced is decided before its first span (`head`). One that isn't has no span at
//! all, and costs what it would cost without traces: a span below it is refused for want of a parent
//! (`visible`). Spans are `tracing`'s (`layer`): those of a trace that is exported become OpenTelemetry's, and go
//! to the exporter and to the ring; those of any other are written into the ring as they are (`recorder`).

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

/// The exporter, watched: what it loses is counted, and said once a minute.
mod export;
/// Which requests are traced.
mod head;
/// From `tracing` to OpenTelemetry.
mod layer;
/// The exporter and who it says it is.
mod otlp;
/// The trace that a client's request belongs to.
pub mod propagation;
/// Spans that nobody exports.
mod recorder;
/// The span of a request.
pub mod request;
/// The recent traces, in this process.
pub mod ring;
/// How exports travel.
mod transport;
/// Which spans and events anybody sees.
pub mod visible;
/// Spans of waits.
mod waits;

pub use head::{Heads, Recent};
use layer::SpanLayer;
use ring::TraceRing;
pub use waits::{waited, waiting};

/// How long what still waits to be exported gets at the end.
const FLUSHED_WITHIN: Duration = Duration::from_secs(3);

/// Instrumentation scope of every span.
pub(crate) const TRACER_NAME: &str = "chokepoint";

/// Makes spans whose beginning was not noticed when it was.
static TRACER: OnceLock<SdkTracer> = OnceLock::new();

/// Where finished spans go.
pub struct Traces {
    provider: Option<SdkTracerProvider>,
    heads: Option<Heads>,
    recent: Arc<TraceRing>,
    /// Carries the exporter's connection, on a thread of its own; ends after the provider.
    _runtime: Option<tokio::runtime::Runtime>,
}

impl Traces {
    /// `recent` keeps the traces that this server shows itself.
    pub fn init(
        program: &Program,
        config: &OtelConfig,
        recent: Arc<TraceRing>,
    ) -> Result<Self, String> {
        if config.disabled {
            return Ok(Self { provider: None, heads: None, recent, _runtime: None });
        }
        let exports = config.exporter.0 != Some(Exporter::None);
        let target = otlp::Target::of(config).filter(|_| exports);
        let heads = Heads::new(target.as_ref().map(|_| head::sampler(config)));
        let mut provider = SdkTracerProvider::builder()
            .with_resource(otlp::resource(program, config))
            .with_sampler(heads.clone())
            .with_id_generator(head::Ids)
            .with_span_processor(recent.processor());
        let mut runtime = None;
        if let Some(target) = target {
            let (exporter, carrier) = otlp::exporter(&target)?;
            provider = provider.with_span_processor(export::processor(exporter, config));
            runtime = Some(carrier);
        }
        let provider = provider.build();
        // The first of a process stays: tests start several servers, with one telemetry.
        let _ = TRACER.set(provider.tracer(TRACER_NAME));
        Ok(Self { provider: Some(provider), heads: Some(heads), recent, _runtime: runtime })
    }

    /// Who is traced; none if nobody is.
    pub fn heads(&self) -> Option<Heads> {
        self.heads.clone()
    }

    /// Makes spans of `tracing` those of traces.
    pub fn layer<S>(&self) -> Option<SpanLayer<S>>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let provider = self.provider.as_ref()?;
        Some(SpanLayer::new(provider.tracer(TRACER_NAME), self.recent.clone()))
    }

    /// Exports what still waits. An endpoint that doesn't answer can't hold up the end.
    pub fn flush(&self) {
        if let Some(provider) = &self.provider
            && let Err(error) = provider.shutdown_with_timeout(FLUSHED_WITHIN)
        {
            tracing::warn!(%error, "traces that were recorded may not be exported");
        }
    }
}
