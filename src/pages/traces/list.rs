//! The recent requests, what to choose among them by, and the slowest of each route.

use std::collections::{BTreeSet, HashMap};

use maud::{Markup, html};

use super::{encoded, millis, moment};
use crate::{
    labs::Labs,
    pages::page,
    telemetry::traces::ring::{
        Holding,
        select::{Request, Route, Selection},
    },
};

const MIB: f64 = 1024.0 * 1024.0;

pub fn list(
    found: &Selection,
    holding: &Holding,
    asked: &HashMap<String, String>,
    labs: &Labs,
) -> Markup {
    let shown = found.requests.len();
    page(
        "Chokepoint · traces",
        &html! {
            p { a href="/" { "All labs" } }
            h1 { "Recent traces" }
            p {
                "What each request spent its time on. Every request of a lab is kept, and of any other "
                "route some each second, until newer ones need the room."
            }
            (filters(found, asked, labs))
            @if found.requests.is_empty() {
                p { strong { "No trace that is kept is like that." } }
            } @else {
                h2 { "Slowest by route" }
                (routes(&found.routes))
                h2 { "Newest" }
                p { (shown) " of " (found.matching) " that match. " a href=(json(asked)) { "The same as JSON" } }
                (requests(&found.requests, labs))
            }
            p { small { (held(holding)) } }
        },
    )
}

fn held(Holding { traces, spans, bytes, max_bytes, dropped }: &Holding) -> String {
    let (bytes, max_bytes) = (*bytes as f64 / MIB, *max_bytes as f64 / MIB);
    let lost = dropped.late + dropped.trace_full + dropped.queue_full;
    format!(
        "Kept: {traces} traces, {spans} spans, {bytes:.1} of {max_bytes:.0} MiB. Since the start {} \
         spans went with their traces to make room, and {lost} found none.",
        dropped.evicted
    )
}

/// The same query, for programs.
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

fn filters(found: &Selection, asked: &HashMap<String, String>, labs: &Labs) -> Markup {
    let value = |field: &str| asked.get(field).map_or("", String::as_str);
    let ids = labs.all().iter().map(|loaded| loaded.lab.id);
    let variants: BTreeSet<_> =
        labs.all().iter().flat_map(|loaded| loaded.evidence.variants()).collect();
    html! {
        form.filters action="/debug/traces" {
            label { "Route" input name="route" list="routes" value=(value("route")); }
            datalist id="routes" { @for route in &found.routes { option value=(route.route) {} } }
            label { "Lab" (choice("lab", ids, value("lab"))) }
            label { "Variant" (choice("variant", variants.into_iter(), value("variant"))) }
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

fn requests(requests: &[Request], labs: &Labs) -> Markup {
    html! {
        table {
            thead {
                tr {
                    th { "Request" } th { "Status" } th { "Took" } th { "Queries" } th { "Spans" }
                    th { "Lab" } th { "Began" }
                }
            }
            tbody {
                @for request in requests {
                    tr.error[request.is_error] {
                        td { a href={ "/debug/traces/" (request.trace) } { (request.name) } }
                        td {
                            @if !request.is_finished { "under way" }
                            @else if let Some(status) = request.status { (status) }
                        }
                        td.short { (millis(request.duration)) }
                        td { (request.queries) }
                        td { (request.spans) }
                        td.short { (of_lab(request, labs)) }
                        td { (moment(request.started)) }
                    }
                }
            }
        }
    }
}

fn of_lab(request: &Request, labs: &Labs) -> Markup {
    html! {
        @if let Some((loaded, variant)) = request.route.as_deref().and_then(|r| labs.variant_at(r)) {
            a href={ "/labs/" (loaded.lab.id) } { (loaded.lab.id) } " · " (variant)
        }
    }
}
