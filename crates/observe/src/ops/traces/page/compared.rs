//! Two traces below each other on one time scale.

use maud::{Markup, html};

use super::{
    alarms::alarms,
    lines::{lines, ready, repeats},
    millis,
    one::{legend, whole},
    picture::{length, picture},
};
use crate::{
    html::{counted, ops_page},
    labels::RouteLabels,
    traces::store::trace::{Trace, duration, route},
};

pub fn compared(traces: [&Trace; 2], labels: &RouteLabels) -> Markup {
    let all = traces.map(repeats);
    let of_each = [lines(traces[0], &all[0]), lines(traces[1], &all[1])];
    let longest = of_each.iter().map(|lines| length(lines)).max().unwrap_or_default();
    ops_page(
        "Two traces",
        &html! {
            h1 { "Two traces, on one time scale" }
            div.compared {
                @for ((trace, repeats), lines) in traces.into_iter().zip(&all).zip(&of_each) {
                    @if let Some(whole) = whole(trace) {
                        @let ready = ready(whole);
                        section {
                            h2 {
                                a href={ "/debug/traces/" (trace.id) } { (whole.name) }
                                @for value in labels.of(route(whole)).values() { " · " (value) }
                            }
                            p {
                                strong { (millis(duration(whole))) } ", "
                                (counted(trace.queries as u64, "query", "queries"))
                            }
                            (alarms(trace, whole, repeats))
                            (picture(lines, &ready, longest))
                            (legend(lines, !ready.is_empty()))
                        }
                    }
                }
            }
        },
    )
}
