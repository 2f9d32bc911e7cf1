//! Log setup: filter, format, writer threads, and tokio-console if it is enabled.

use std::io::{BufWriter, IsTerminal, stdout};

use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{
    Layer, Registry,
    fmt::{self, format},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use super::{
    access_log::{AccessLog, Look},
    log_filter::LogFilter,
    log_lines::{EventsOnly, WithIds},
    shown::ShownFields,
    traces::{Traces, span_filter::SpanFilter},
};
use crate::settings::{LogConfig, LogFormat};

/// Default address of tokio-console's client.
pub const CONSOLE: ([u8; 4], u16) = ([127, 0, 0, 1], 6669);

/// Most lines that wait for the writer; more are dropped and counted. About 16 MiB of usual lines.
const QUEUED_LINES: usize = 16_384;

/// Most bytes of one write to standard output.
const WRITE_BUFFER: usize = 64 * 1024;

/// Guard of the writer thread. Dropping it writes the waiting lines.
pub struct Guard {
    _writer: WorkerGuard,
    dropped: ErrorCounter,
}

impl Guard {
    /// Counter of the lines that were dropped because the queue was full.
    pub fn dropped_lines(&self) -> ErrorCounter {
        self.dropped.clone()
    }
}

/// Installs the subscriber of the process.
pub fn init(
    config: &LogConfig,
    tokio_console: bool,
    log_filter: &LogFilter,
    traces: &Traces,
) -> (AccessLog, Guard) {
    let default_format =
        || if stdout().is_terminal() { LogFormat::Pretty } else { LogFormat::Json };
    let format = config.format.unwrap_or_else(default_format);
    let (writer, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(QUEUED_LINES)
        .thread_name("log-writer")
        .finish(BufWriter::with_capacity(WRITE_BUFFER, stdout()));
    let access = AccessLog::new(writer.clone(), Look::of(format, stdout().is_terminal()));
    let guard = Guard { _writer: guard, dropped: writer.error_counter() };

    let lines: Box<dyn Layer<Registry> + Send + Sync> = match format {
        LogFormat::Pretty => {
            let inner = format::format().compact().with_ansi(stdout().is_terminal());
            let lines = fmt::layer().event_format(WithIds { inner, format }).with_writer(writer);
            Box::new(EventsOnly(lines.fmt_fields(ShownFields)))
        }
        LogFormat::Json => {
            let inner = format::format().json().with_current_span(false).with_span_list(false);
            let lines = fmt::layer().event_format(WithIds { inner, format }).with_writer(writer);
            Box::new(EventsOnly(lines.fmt_fields(format::JsonFields::new())))
        }
    };
    // One filter for all layers is cheaper than one for each. The console needs one for each: it
    // must see tokio's own spans, which belong neither in the log nor in a trace.
    let filter = SpanFilter::new(log_filter.clone());
    if tokio_console {
        tracing_subscriber::registry()
            .with(lines.with_filter(filter.clone()))
            .with(traces.layer().with_filter(filter))
            .with(console_subscriber::ConsoleLayer::builder().server_addr(CONSOLE).spawn())
            .init();
    } else {
        tracing_subscriber::registry().with(lines).with(traces.layer()).with(filter).init();
    }
    (access, guard)
}
