//! Watches an axum service: the cost of each request, log, metrics, traces, profiles, the tokio
//! runtimes and tokio-console, and serves what it saw as pages and JSON.

use std::sync::Arc;

/// The one line per request, and the writer all log lines share.
pub mod access_log;
/// The last polls that held a worker for long.
pub mod blocked;
/// What one request costs.
pub mod budget;
/// What requests cost, by route, for Prometheus.
mod budget_histograms;
/// The numbers of a finished request.
pub mod cost;
/// Numbers as text, cheaply.
mod digits;
/// Spans that are entered within themselves.
mod entered;
/// Failures of this crate's routes, and the answer that all failures share.
pub mod error;
/// HTML or JSON.
pub mod format;
/// HTML that all pages share.
pub mod html;
/// The layer around every handler.
pub mod http;
/// Labels of routes.
pub mod labels;
/// Access lines on their way out.
mod line_batch;
/// What is logged, until somebody changes it for a while.
pub mod log_filter;
/// How a log line looks.
mod log_lines;
/// The log: pretty on a terminal, JSON elsewhere.
pub mod logs;
/// Exact figures of the recent requests of one route.
pub mod measurements;
/// Names, help and buckets of every metric.
pub mod metrics;
/// Times as people and programs write them.
mod moment;
/// Routes of the second port: metrics, traces, profiles, blocked polls.
pub mod ops;
/// Query parameters.
pub mod params;
mod poll_meter;
/// Profiles of this process.
pub mod profiles;
/// Request id and trace id.
pub mod request_id;
/// Requests counted, timed and in flight.
pub mod request_metrics;
/// What the budget measures, by route and method.
pub mod route_metrics;
/// Samples both tokio runtimes and the connection pool.
pub mod runtime;
/// What may be said only so often.
pub mod seldom;
mod server_timing;
/// Settings.
pub mod settings;
/// Text that can do nothing to whoever reads the log.
pub mod shown;
/// Spans of requests, and where they go.
pub mod traces;

pub use poll_meter::thread_parks;

/// Program that is observed, as its traces, its metrics and its log name it.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    pub name: &'static str,
    pub version: &'static str,
    /// Beginnings of the targets of its own spans and events. Spans of others are of no trace, and events
    /// of others are never logged below DEBUG: they may hold what a library sends and receives.
    pub targets: &'static [&'static str],
    /// Metrics of its own, beside those of this crate.
    pub metrics: &'static [metrics::Metric],
}

/// Keeps log, metrics and traces alive. Dropping it writes out the log lines that are still queued.
pub struct Telemetry {
    pub access: access_log::AccessLog,
    pub metrics: Arc<metrics::Metrics>,
    pub traces: traces::Traces,
    pub recent_traces: Arc<traces::ring::TraceRing>,
    pub log_filter: log_filter::LogFilter,
    _log_writers: logs::Guards,
}

impl Telemetry {
    /// Sets up the process-wide log and metrics recorder; to be called once.
    ///
    /// # Errors
    /// One line that names the setting that can't be used.
    pub fn init(program: &Program, settings: &settings::Settings) -> Result<Self, String> {
        let recent_traces = traces::ring::TraceRing::start(settings.trace_ring_bytes());
        let traces = traces::Traces::init(program, &settings.otel, recent_traces.clone())?;
        let log_filter = log_filter::LogFilter::new(settings.log.filter.clone(), program.targets);
        let (access, _log_writers) =
            logs::init(&settings.log, settings.tokio_console, &log_filter, &traces);
        let dropped = _log_writers.dropped_lines();
        let metrics = Arc::new(metrics::Metrics::init(program, dropped));
        Ok(Self { access, metrics, traces, recent_traces, log_filter, _log_writers })
    }
}
