//! Everything that watches: the budget of each request, log, metrics, runtimes, tokio-console.

use std::sync::Arc;

use crate::config::Config;

/// The one line per request, and the writer all log lines share.
pub mod access_log;
/// What one request costs.
pub mod budget;
/// The numbers of a finished request.
pub mod cost;
/// Numbers as text, cheaply.
mod digits;
/// The layer around every handler.
pub mod http;
/// The log: pretty on a terminal, JSON elsewhere.
pub mod logs;
/// Exact figures of the recent requests of one route.
pub mod measurements;
/// Names, help and buckets of every metric.
pub mod metrics;
mod poll_meter;
/// Request id and trace id.
pub mod request_id;
/// What the budget measures, by route and method.
pub mod route_metrics;
/// Samples both tokio runtimes and the connection pool.
pub mod runtime;
mod server_timing;

pub use poll_meter::thread_parks;

/// Keeps log and metrics alive. Dropping it writes out the log lines that are still queued.
pub struct Telemetry {
    pub access: access_log::AccessLog,
    pub metrics: Arc<metrics::Metrics>,
    _log_writer: tracing_appender::non_blocking::WorkerGuard,
}

impl Telemetry {
    /// Sets up the process-wide log and metrics recorder; to be called once.
    pub fn init(config: &Config) -> Self {
        let (access, _log_writer) = logs::init(&config.log, config.tokio_console);
        let metrics = Arc::new(metrics::Metrics::init(access.dropped_lines()));
        Self { access, metrics, _log_writer }
    }
}
