//! The log: filter, format, a writer on a thread of its own, and tokio-console where wanted.

use std::io::{BufWriter, IsTerminal, stdout};

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    field::RecordFields,
    fmt::{
        self, FormatFields, FormattedFields,
        format::{DefaultFields, JsonFields, Writer},
    },
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use super::access_log::AccessLog;
use crate::config::{LogConfig, LogFormat};

/// Lines that may wait for the writer; more are dropped and counted. About 30 MiB at most.
const QUEUED_LINES: usize = 65_536;

/// What one write to standard output may carry.
const WRITE_BUFFER: usize = 64 * 1024;

/// Installs the process-wide subscriber. The guard flushes when it is dropped.
pub fn init(config: &LogConfig, tokio_console: bool) -> (AccessLog, WorkerGuard) {
    let default_format =
        || if stdout().is_terminal() { LogFormat::Pretty } else { LogFormat::Json };
    let format = config.format.unwrap_or_else(default_format);
    let (writer, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(QUEUED_LINES)
        .thread_name("log-writer")
        .finish(BufWriter::with_capacity(WRITE_BUFFER, stdout()));
    let access = AccessLog::new(writer.clone(), format);

    let lines: Box<dyn Layer<Registry> + Send + Sync> = match format {
        LogFormat::Pretty => Box::new(
            fmt::layer()
                .compact()
                .with_ansi(stdout().is_terminal())
                .fmt_fields(IdsOnly(DefaultFields::new()))
                .with_writer(writer),
        ),
        LogFormat::Json => Box::new(
            fmt::layer()
                .json()
                .with_span_list(false)
                .fmt_fields(IdsOnly(JsonFields::new()))
                .with_writer(writer),
        ),
    };
    // A filter for all is cheaper than one for each layer, which the console needs: it must see
    // tokio's own spans, which nobody wants in the log.
    let filter = EnvFilter::new(&config.filter);
    if tokio_console {
        tracing_subscriber::registry()
            .with(lines.with_filter(filter))
            .with(console_subscriber::spawn())
            .init();
    } else {
        tracing_subscriber::registry().with(lines).with(filter).init();
    }
    (access, guard)
}

/// Formats of a span only what it had from the start: its ids. The budget, recorded at the end, is
/// for trace exporters and for the access line; formatting it here as well would cost twice.
struct IdsOnly<F>(F);

impl<'writer, F: FormatFields<'writer>> FormatFields<'writer> for IdsOnly<F> {
    fn format_fields<R: RecordFields>(
        &self,
        writer: Writer<'writer>,
        fields: R,
    ) -> std::fmt::Result {
        self.0.format_fields(writer, fields)
    }

    fn add_fields(
        &self,
        _: &'writer mut FormattedFields<Self>,
        _: &tracing::span::Record<'_>,
    ) -> std::fmt::Result {
        Ok(())
    }
}
