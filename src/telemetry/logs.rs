//! The log: filter, format, a writer on a thread of its own, and tokio-console where wanted.

use std::io::{BufWriter, IsTerminal, stdout};

use tracing::field::{Field, Visit};
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{
    Layer, Registry,
    field::RecordFields,
    fmt::{
        self, FormatFields, FormattedFields,
        format::{DefaultFields, Writer},
    },
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use super::access_log::AccessLog;
use crate::config::{LogConfig, LogFormat};

/// Where tokio-console's client looks by default.
pub const CONSOLE: ([u8; 4], u16) = ([127, 0, 0, 1], 6669);

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
                .fmt_fields(AtStart(format))
                .with_writer(writer),
        ),
        LogFormat::Json => Box::new(
            fmt::layer()
                .json()
                .with_span_list(false)
                .fmt_fields(AtStart(format))
                .with_writer(writer),
        ),
    };
    // A filter for all is cheaper than one for each layer, which the console needs: it must see
    // tokio's own spans, which nobody wants in the log.
    let filter = config.filter.clone();
    if tokio_console {
        tracing_subscriber::registry()
            .with(lines.with_filter(filter))
            .with(console_subscriber::ConsoleLayer::builder().server_addr(CONSOLE).spawn())
            .init();
    } else {
        tracing_subscriber::registry().with(lines).with(filter).init();
    }
    (access, guard)
}

/// Formats what a span had from the start, and nothing that is recorded later: the budget is for
/// trace exporters and for the access line, and formatting it here would be paid by every request.
struct AtStart(LogFormat);

impl<'writer> FormatFields<'writer> for AtStart {
    fn format_fields<R: RecordFields>(
        &self,
        writer: Writer<'writer>,
        fields: R,
    ) -> std::fmt::Result {
        match self.0 {
            // Events pass here too, with all of their fields.
            LogFormat::Pretty => DefaultFields::new().format_fields(writer, fields),
            LogFormat::Json => {
                let mut ids = Ids { writer, is_first: true, result: Ok(()) };
                fields.record(&mut ids);
                ids.end()
            }
        }
    }

    fn add_fields(
        &self,
        _: &'writer mut FormattedFields<Self>,
        _: &tracing::span::Record<'_>,
    ) -> std::fmt::Result {
        Ok(())
    }
}

/// The two ids as a JSON object. The access line has the rest.
struct Ids<'writer> {
    writer: Writer<'writer>,
    is_first: bool,
    result: std::fmt::Result,
}

impl Ids<'_> {
    fn end(mut self) -> std::fmt::Result {
        self.result?;
        self.writer.write_str(if self.is_first { "{}" } else { "}" })
    }
}

impl Visit for Ids<'_> {
    fn record_str(&mut self, field: &Field, id: &str) {
        if self.result.is_ok() && matches!(field.name(), "request_id" | "trace_id") {
            let before = if self.is_first { "{\"" } else { ",\"" };
            self.is_first = false;
            // Both are checked to hold no character that would need escaping.
            self.result = [before, field.name(), "\":\"", id, "\""]
                .iter()
                .try_for_each(|part| self.writer.write_str(part));
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}
