//! How a log line looks: as `tracing` formats it, escaped, with the ids of the request that it is
//! about.
//!
//! The ids come from the request's budget. A span that only carried them was 1 µs of every request.

use tracing::{Event, Subscriber};
use tracing_subscriber::{
    Layer,
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    layer::Context,
    registry::LookupSpan,
};

use super::{budget, shown::shown};
use crate::settings::LogFormat;

/// Adds the ids to what `inner` writes.
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
            // Its fields are escaped already; the rest is our own, with colors.
            LogFormat::Pretty => line.into(),
            LogFormat::Json => shown(line),
        };
        let Some(budget) = budget::current() else {
            return writeln!(writer, "{line}");
        };
        // Both are checked to hold no character that would need escaping.
        let (request, trace) = (&budget.ids.request, &budget.ids.trace);
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

/// A layer that is told of events alone: what the log would keep of each span, nobody reads.
pub struct EventsOnly<L>(pub L);

impl<S: Subscriber, L: Layer<S>> Layer<S> for EventsOnly<L> {
    fn on_event(&self, event: &Event<'_>, cx: Context<'_, S>) {
        self.0.on_event(event, cx);
    }
}
