//! Watches an axum service: the cost of each request, log, metrics, traces, profiles, the tokio
//! runtimes and tokio-console, and serves the results as pages and JSON.

use std::sync::Arc;

/// Access log: one line for each request.
pub mod access_log;
/// Bytes that a thread has allocated.
mod allocated;
/// The last polls that held a worker for long.
pub mod blocked;
/// Buckets of histograms.
pub mod buckets;
/// Cost of a finished request, and the table of its counters.
pub mod cost;
/// Cheap formatting of numbers.
mod digits;
/// Errors of this crate's routes, and the answer that all errors share.
pub mod error;
/// Choice between HTML and JSON.
pub mod format;
/// Page frame and style sheet of all HTML pages.
pub mod html;
/// Layer around every handler.
pub mod http;
/// Requests of a route that are in flight.
pub mod in_flight;
/// Labels of routes.
pub mod labels;
/// The app at this moment: its workers, and its requests in flight.
pub mod live;
/// Log filter, which can be changed for a while.
pub mod log_filter;
/// Format of log lines.
mod log_lines;
/// The log: pretty on a terminal, JSON elsewhere.
pub mod logs;
/// Exact statistics of the recent requests of one route.
pub mod measurements;
/// Names and help of every metric.
pub mod metrics;
/// Layer that counts and times requests.
pub mod metrics_layer;
/// Times in whole milliseconds, which fit into an atomic.
pub mod millis;
/// Times as people and programs write them.
mod moment;
/// Routes of the ops port: metrics, traces, profiles, blocked polls.
pub mod ops;
/// Query parameters.
pub mod params;
mod poll_meter;
/// Profiles of this process.
pub mod profiles;
/// Request cost, counted while the request runs.
pub mod request_cost;
/// Request id and trace id.
pub mod request_id;
/// Requests of one route counted, timed and in flight.
mod request_metrics;
/// Request costs by route and method.
pub mod route_metrics;
/// Samples both tokio runtimes and the connection pool.
pub mod runtime;
mod server_timing;
/// Settings.
pub mod settings;
/// Escaping of text for a terminal or a log file.
pub mod shown;
/// Tasks and closures that work for a request.
pub mod task;
/// Use of the app's threads.
pub mod threads;
/// Throttle for repeated log messages.
pub mod throttle;
/// Totals of all cost counters in this process.
pub mod totals;
/// Spans of requests, and their destinations.
pub mod traces;
/// Calls to other services.
pub mod upstream;
/// What each worker polls now.
pub mod workers;

pub use poll_meter::thread_parks;

/// Observed program, as its traces, its metrics and its log name it.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    pub name: &'static str,
    pub version: &'static str,
    /// Prefixes of the targets of its own spans and events. Spans of libraries are not traced, and
    /// their events are never logged below DEBUG: those may hold the data that a library sends.
    pub targets: &'static [&'static str],
    /// Its own metrics, in addition to those of this crate.
    pub metrics: &'static [metrics::Metric],
}

/// Keeps log, metrics and traces alive. Dropping it writes out the log lines that are still queued.
pub struct Telemetry {
    pub access: access_log::AccessLog,
    pub metrics: Arc<metrics::Metrics>,
    pub traces: traces::Traces,
    pub recent_traces: traces::store::SpanStore,
    pub log_filter: log_filter::LogFilter,
    _log_writer: logs::Guard,
}

impl Telemetry {
    /// Sets up the log and the metrics recorder of the process. Call it once.
    ///
    /// # Errors
    /// Returns one line that names the setting that can't be used.
    pub fn init(program: &Program, settings: &settings::Settings) -> Result<Self, String> {
        let recent_traces = traces::store::SpanStore::new(settings.trace_ring_bytes());
        let traces = traces::Traces::init(program, &settings.otel, recent_traces.clone())?;
        let log_filter = log_filter::LogFilter::new(settings.log.filter.clone(), program.targets);
        let (access, _log_writer) =
            logs::init(&settings.log, settings.tokio_console, &log_filter, &traces);
        let dropped = _log_writer.dropped_lines();
        let metrics =
            Arc::new(metrics::Metrics::init(program, move || dropped.dropped_lines() as u64));
        Ok(Self { access, metrics, traces, recent_traces, log_filter, _log_writer })
    }
}
