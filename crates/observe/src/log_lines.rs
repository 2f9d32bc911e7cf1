//! Format of log lines: as `tracing` formats them, escaped, with the ids of their request.
//!
//! The ids come from the request's counters. A span only for the ids cost 1 µs of every request.

use tracing::{Event, Subscriber};
use tracing_subscriber::{
    Layer,
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    layer::Context,
    registry::LookupSpan,
};

use super::{cost::Counter, request_cost, shown::shown};
use crate::settings::LogFormat;

/// Adds the ids to the line that `inner` writes.
pub struct WithIds<F> {
    pub inner: F,
    pub format: LogFormat,
}

impl<S, N, F> FormatEvent<S, N> for WithIds<F>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        cx: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> std::fmt::Result {
        let mut line = String::new();
        self.inner.format_event(cx, Writer::new(&mut line), event)?;
        let line = line.trim_end();
        let line = match self.format {
            // The fields are escaped already; the rest is our own, with colors.
            LogFormat::Pretty => line.into(),
            LogFormat::Json => shown(line),
        };
        request_cost::add(Counter::LogLines, 1);
        request_cost::add(Counter::LogBytes, line.len() as u64);
        let Some(request_cost) = request_cost::current() else {
            return writeln!(writer, "{line}");
        };
        // Both are checked to have no character that needs escaping.
        let (request, trace) = (&request_cost.ids.request, &request_cost.ids.trace);
        match self.format {
            LogFormat::Pretty => writeln!(writer, "{line} request_id={request} trace_id={trace}"),
            LogFormat::Json => writeln!(
                writer,
                "{},\"span\":{{\"request_id\":\"{request}\",\"trace_id\":\"{trace}\",\"name\":\"request\"}}}}",
                line.strip_suffix('}').unwrap_or(&line)
            ),
        }
    }
}

/// Layer that passes on events only: the log does not use the data of spans.
pub struct EventsOnly<L>(pub L);

impl<S: Subscriber, L: Layer<S>> Layer<S> for EventsOnly<L> {
    fn on_event(&self, event: &Event<'_>, cx: Context<'_, S>) {
        self.0.on_event(event, cx);
    }
}
