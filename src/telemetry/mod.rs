//! Everything that watches: the budget of each request, log, metrics, traces, runtimes, tokio-console.

use std::sync::Arc;

use crate::config::Config;

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
/// The layer around every handler.
pub mod http;
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
mod poll_meter;
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
/// Text that can do nothing to whoever reads the log.
pub mod shown;
/// Spans of requests, and where they go.
pub mod traces;

pub use poll_meter::thread_parks;

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
    pub fn init(config: &Config) -> Result<Self, String> {
        let recent_traces = traces::ring::TraceRing::start(config.trace_ring_bytes());
        let traces = traces::Traces::init(&config.otel, recent_traces.clone())?;
        let log_filter = log_filter::LogFilter::new(config.log.filter.clone());
        let (access, _log_writers) =
            logs::init(&config.log, config.tokio_console, &log_filter, &traces);
        let metrics = Arc::new(metrics::Metrics::init(_log_writers.dropped_lines()));
        Ok(Self { access, metrics, traces, recent_traces, log_filter, _log_writers })
    }
}
