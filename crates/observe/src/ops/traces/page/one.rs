//! HTML page of one trace: its facts, repeated queries, its waterfall, and every span.

use std::{
    collections::BTreeMap,
    time::{Duration, UNIX_EPOCH},
};

use maud::{Markup, html};
use opentelemetry::{Value, trace::SpanKind};
use opentelemetry_sdk::trace::SpanData;

use super::{
    alarms::alarms,
    encoded,
    lines::{About, Line, Repeat, is_error, lines, ready, repeats, untraced},
    millis,
    picture::{length, picture},
};
use crate::{
    html::{counted, moment, ops_page},
    labels::RouteLabels,
    traces::store::trace::{Trace, duration, query_text, route, status, text},
};

/// Milliseconds before and after a request in which profiles are of about the same time.
const AROUND_MS: u128 = 60_000;

/// Least share and least time outside of all spans that are worth a note.
const MUCH_UNTRACED: f64 = 0.5;
const LONG_UNTRACED: Duration = Duration::from_millis(20);

const BUDGET: &str = "chokepoint.";

pub fn one(trace: &Trace, labels: &RouteLabels) -> Markup {
    let Some(whole) = whole(trace) else { return html! {} };
    let repeats = repeats(trace);
    let lines = lines(trace, &repeats);
    ops_page(
        &format!("{} · trace", whole.name),
        &html! {
            h1 { (whole.name) }
            (facts(trace, whole, labels))
            (alarms(trace, whole, &repeats))
            (picture(&lines, &ready(whole), length(&lines)))
            (legend(&lines, !ready(whole).is_empty()))
            (untraced_note(whole, &lines))
            @if trace.dropped > 0 {
                p {
                    strong {
                        (counted(trace.dropped, "more span of this trace was", "more spans of this trace were"))
                        " dropped: it was full."
                    }
                }
            }
            @if !repeats.is_empty() { h2 { "Repeated spans" } (repeated(&repeats)) }
            (request_cost(whole))
            h2 { "Every span" }
            @for line in &lines { (span(line, whole)) }
            (elsewhere(trace, whole))
        },
    )
}

/// Span of the request; if none has ended here, the first span.
pub fn whole(trace: &Trace) -> Option<&SpanData> {
    let requests = trace.entries().filter(|span| span.span_kind == SpanKind::Server);
    requests.min_by_key(|span| span.start_time).or_else(|| {
        let first = trace.entries().min_by_key(|span| span.start_time);
        first.or_else(|| {
            trace.spans.iter().map(AsRef::as_ref).min_by_key(|span: &&SpanData| span.start_time)
        })
    })
}

fn facts(trace: &Trace, whole: &SpanData, labels: &RouteLabels) -> Markup {
    html! {
        ul.facts {
            @if let Some(status) = status(whole) { li { "status " strong { (status) } } }
            li { strong { (millis(duration(whole))) } }
            li { strong { (counted(trace.queries as u64, "query", "queries")) } }
            li { (counted(trace.spans.len() as u64, "span", "spans")) }
            @if let (None, Some(path)) = (route(whole), text(whole, "url.path")) { li { code { (path) } } }
            @if whole.span_kind == SpanKind::Server { li { "began " (moment(whole.start_time)) } }
            @let of = labels.of(route(whole));
            @for key in labels.keys() {
                @if let Some(value) = of.get(key) {
                    li {
                        (key) " "
                        @if let (Some(page), true) = (labels.page_of(route(whole)), labels.keys().next() == Some(key)) {
                            a href=(page) { (value) }
                        } @else { (value) }
                    }
                }
            }
        }
    }
}

/// Meaning of the colours that the picture has.
pub fn legend(lines: &[Line<'_>], has_ready: bool) -> Markup {
    let shown = |about| lines.iter().any(|line| line.about == about);
    html! {
        ul.legend {
            @for (about, text) in [
                (About::Request, "the request"),
                (About::Repeated, "a query that repeats"),
                (About::Database, "a query"),
                (About::Cache, "the cache"),
                (About::Wait, "a wait"),
                (About::Other, "something else"),
            ] {
                @if shown(about) {
                    li {
                        svg.key viewBox="0 0 10 10" aria-hidden="true" {
                            rect class=(about.class()) width="10" height="10" {}
                        }
                        (text)
                    }
                }
            }
            @if has_ready {
                li {
                    svg.key viewBox="0 0 10 10" aria-hidden="true" { rect.ready width="10" height="10" {} }
                    "ready, and no worker polled it"
                }
            }
        }
    }
}

/// Note on the time outside of all spans: code of our own, which computes or blocks.
fn untraced_note(whole: &SpanData, lines: &[Line<'_>]) -> Markup {
    let (untraced, all) = (untraced(whole, lines), duration(whole));
    let numbers = numbers(whole);
    let share = untraced.as_secs_f64() / all.as_secs_f64().max(1e-9);
    html! {
        @if share >= MUCH_UNTRACED && untraced >= LONG_UNTRACED {
            p {
                strong { (millis(untraced)) " of " (millis(all)) } " (" (format!("{:.0}", share * 100.0))
                " %) is in none of its spans: there its own code computed or blocked"
                @if let (Some(cpu), Some(switches)) = (numbers.get("cpu_ms"), numbers.get("switches")) {
                    ", used " (cpu) " ms of CPU and gave up its core "
                    @if switches == "1" { "once" } @else { (switches) " times" }
                }
                ". A flame graph says which line: "
                a href=(captures(whole)) { "profiles taken around that time" } "."
            }
        }
    }
}

fn captures(whole: &SpanData) -> String {
    let epoch = |time: std::time::SystemTime| {
        time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()
    };
    let from = epoch(whole.start_time).saturating_sub(AROUND_MS);
    format!("/debug/pprof/captures?from={from}&to={}", epoch(whole.end_time) + AROUND_MS)
}

fn repeated(repeats: &[Repeat<'_>]) -> Markup {
    html! {
        table {
            thead { tr { th { "Count" } th { "Total" } th { "Text" } } }
            tbody {
                @for repeat in repeats {
                    tr {
                        td { strong { "×" (repeat.count) } }
                        td.short { (millis(repeat.total)) }
                        td { code { (repeat.text) } }
                    }
                }
            }
        }
    }
}

/// Cost of the request, from its span's attributes, by name.
pub fn numbers(whole: &SpanData) -> BTreeMap<&str, String> {
    let ours = whole.attributes.iter().filter_map(|attribute| {
        let name = attribute.key.as_str().strip_prefix(BUDGET)?;
        match attribute.value {
            Value::I64(count) => Some((name, count.to_string())),
            Value::F64(time) => Some((name, format!("{time:.2}"))),
            _ => None,
        }
    });
    ours.collect()
}

fn request_cost(whole: &SpanData) -> Markup {
    let ours = numbers(whole);
    html! {
        @if !ours.is_empty() {
            h2 { "Request cost" }
            dl.request_cost { @for (name, value) in ours { div { dt { (name) } dd { (value) } } } }
        }
    }
}

fn span(line: &Line<'_>, whole: &SpanData) -> Markup {
    let Line { span, depth, about } = line;
    let begin = span.start_time.duration_since(whole.start_time).unwrap_or_default();
    html! {
        details.span {
            summary class={ "depth-" (depth.min(&6)) } {
                svg.key viewBox="0 0 10 10" aria-hidden="true" {
                    rect class=(about.class()) width="10" height="10" {}
                }
                (span.name) " · " (millis(duration(span)))
                @if is_error(span) { " · " strong { "failed" } }
                small { " after " (millis(begin)) }
            }
            @if let Some(text) = query_text(span) { pre { (text) } }
            table {
                tbody {
                    @for attribute in span.attributes.iter().filter(|a| a.key.as_str() != "db.query.text") {
                        tr { td { (attribute.key) } td { code { (attribute.value) } } }
                    }
                    tr { td { "span id" } td { code { (span.span_context.span_id()) } } }
                }
            }
        }
    }
}

fn elsewhere(trace: &Trace, whole: &SpanData) -> Markup {
    html! {
        h2 { "Elsewhere" }
        ul {
            @if let Some(route) = route(whole) {
                li { a href={ "/debug/traces?route=" (encoded(route)) } { "Other requests of " (route) } }
            }
            li { a href=(captures(whole)) { "Profiles taken around that time" } }
            li {
                a href={ "/debug/traces/" (trace.id) "?format=json" } { "This trace as OTLP JSON" }
                ", trace id " code { (trace.id) }
                @if let Some(id) = text(whole, "chokepoint.request_id") { ", request id " code { (id) } }
            }
        }
    }
}
