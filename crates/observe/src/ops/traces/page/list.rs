//! HTML list of the recent requests, its filters, and the slowest of each route.

use std::collections::HashMap;

use maud::{Markup, html};

use super::{
    super::select::{Route, Selection},
    encoded, millis,
};
use crate::{
    html::{counted, moment, ops_page, scrolling},
    labels::RouteLabels,
    traces::store::{
        Holding,
        trace::{Request, Summary},
    },
};

const MIB: f64 = 1024.0 * 1024.0;

pub fn list(
    found: &Selection,
    holding: &Holding,
    asked: &HashMap<String, String>,
    labels: &RouteLabels,
) -> Markup {
    let shown = found.requests.len();
    ops_page(
        "Recent traces",
        &html! {
            h1 { "Recent traces" }
            p {
                "Where each request spent its time. The first requests of each second and route are kept, and all "
                "whose traceparent asks for it, until newer ones need the room."
            }
            (filters(found, asked, labels))
            @if found.requests.is_empty() {
                p { strong { "No kept trace matches." } }
            } @else {
                h2 { "Slowest by route" }
                (scrolling("Slowest by route", &routes(&found.routes)))
                h2 { "Newest" }
                p { (matching(shown, found.matching)) " " a href=(json(asked)) { "The same as JSON" } }
                (scrolling("Newest requests", &requests(&found.requests, labels)))
            }
            p { small { (held(holding)) } }
        },
    )
}

/// How many of the requests that match are in the list.
fn matching(shown: usize, matching: usize) -> String {
    let found = counted(matching as u64, "request matches", "requests match");
    if shown == matching {
        format!("{found}.")
    } else {
        format!("{found}; the newest {shown} are listed.")
    }
}

fn held(Holding { traces, spans, bytes, max_bytes, dropped }: &Holding) -> String {
    let (bytes, max_bytes) = (*bytes as f64 / MIB, *max_bytes as f64 / MIB);
    let mut text = format!(
        "Kept now: {} with {}, in {bytes:.1} of {max_bytes:.0} MiB.",
        counted(*traces as u64, "trace", "traces"),
        counted(*spans as u64, "span", "spans"),
    );
    if dropped.evicted > 0 {
        let gone = counted(dropped.evicted, "older span has", "older spans have");
        text += &format!(" {gone} made room for newer ones.");
    }
    let lost = dropped.late + dropped.trace_full;
    if lost > 0 {
        text += &format!(" {} found no room.", counted(lost, "span", "spans"));
    }
    text
}

/// URL of the same query as JSON.
fn json(asked: &HashMap<String, String>) -> String {
    let mut fields: Vec<_> = asked.iter().filter(|(field, _)| *field != "format").collect();
    fields.sort();
    let fields = fields.into_iter().map(|(field, value)| (field.as_str(), value.as_str()));
    let fields: Vec<_> = fields
        .chain([("format", "json")])
        .map(|(field, value)| format!("{}={}", encoded(field), encoded(value)))
        .collect();
    format!("/debug/traces?{}", fields.join("&"))
}

fn filters(found: &Selection, asked: &HashMap<String, String>, labels: &RouteLabels) -> Markup {
    let value = |field: &str| asked.get(field).map_or("", String::as_str);
    html! {
        form.filters action="/debug/traces" {
            label { "Route" input name="route" list="routes" value=(value("route")); }
            datalist id="routes" { @for route in &found.routes { option value=(route.route) {} } }
            @for key in labels.keys() {
                label { (capitalised(key)) (choice(key, labels.values(key).into_iter(), value(key))) }
            }
            label { "At least ms" input name="min_ms" inputmode="decimal" size="6" value=(value("min_ms")); }
            label { "Status" input name="status" size="6" placeholder="5xx" value=(value("status")); }
            @for field in ["since", "until", "from", "to"] {
                @if asked.contains_key(field) {
                    label { (field) input name=(field) value=(value(field)); }
                }
            }
            button { "Show" }
            " " a href="/debug/traces" { "All" }
        }
    }
}

fn choice<'a>(field: &str, all: impl Iterator<Item = &'a str>, chosen: &str) -> Markup {
    html! {
        select name=(field) {
            option value="" { "any" }
            @for one in all { option value=(one) selected[one == chosen] { (one) } }
        }
    }
}

fn routes(routes: &[Route]) -> Markup {
    html! {
        table {
            thead { tr { th { "Route" } th { "Requests" } th { "Mean" } th { "Slowest" } th { "Most queries" } } }
            tbody {
                @for route in routes {
                    tr {
                        td { a href={ "/debug/traces?route=" (encoded(&route.route)) } { (route.route) } }
                        td { (route.requests) }
                        td { (millis(route.mean)) }
                        td { a href={ "/debug/traces/" (route.trace) } { (millis(route.slowest)) } }
                        td { (route.most_queries) }
                    }
                }
            }
        }
    }
}

fn requests(requests: &[Request], labels: &RouteLabels) -> Markup {
    html! {
        table {
            thead {
                tr {
                    th { "Request" } th { "Status" } th { "Took" } th { "Queries" } th { "Spans" }
                    @if let Some(first) = labels.keys().next() { th { (capitalised(first)) } }
                    th { "Began" }
                }
            }
            tbody {
                @for request in requests {
                    @let summary = &request.summary;
                    tr.error[summary.is_error] {
                        td { a href={ "/debug/traces/" (request.trace) } { (summary.name) } }
                        td {
                            @if !summary.is_finished { "under way" }
                            @else if let Some(status) = summary.status { (status) }
                        }
                        td.short { (millis(summary.duration)) }
                        td { (request.queries) }
                        td { (request.spans) }
                        @if labels.keys().next().is_some() { td.short { (label_of(summary, labels)) } }
                        td { (moment(summary.started)) }
                    }
                }
            }
        }
    }
}

/// First label, with a link to its page, and the others.
fn label_of(request: &Summary, labels: &RouteLabels) -> Markup {
    let route = request.route.as_deref();
    let mut values = labels.of(route).values();
    html! {
        @if let Some(first) = values.next() {
            @if let Some(page) = labels.page_of(route) { a href=(page) { (first) } } @else { (first) }
            @for value in values { " · " (value) }
        }
    }
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
