//! `/debug/pprof/captures`: the profiles that are kept, and a form that compares two of them.

use maud::{Markup, html};

use super::{Capture, CaptureList, Sampling as HeapSampling};
use crate::html::page;

pub fn list(list: &CaptureList, sampling: &HeapSampling) -> Markup {
    page(
        "Profiles",
        &html! {
            p { a href="/" { "Home" } }
            h1 { "Profiles" }
            p {
                (list.captures.len()) " of " (list.kept) " kept, newest first; "
                (list.forgotten) " older ones were forgotten. Heap sampling is "
                @if sampling.active { "on." } @else { "off." }
            }
            p {
                "Take one now, of 5 s: "
                @for mode in ["cpu", "wall", "heap"] {
                    a href={ "/debug/pprof/flamegraph?seconds=5&mode=" (mode) } { (mode) } " "
                }
            }
            form action="/debug/pprof/diff" {
                table {
                    thead {
                        tr {
                            th { "Before" } th { "After" } th { "Mode" } th { "Loaded" }
                            th { "Started" } th { "Seconds" } th { "Total" } th { "See" }
                        }
                    }
                    tbody { @for capture in &list.captures { (row(capture)) } }
                }
                p { button { "Compare" } " Red grew, blue shrank. Choose two profiles of one mode." }
            }
        },
    )
}

fn row(capture: &Capture) -> Markup {
    let id = capture.id;
    let path = format!("/debug/pprof/captures/{id}");
    html! {
        tr {
            td { input type="radio" name="a" value=(id) required aria-label={ "before: " (id) }; }
            td { input type="radio" name="b" value=(id) required aria-label={ "after: " (id) }; }
            td { (capture.mode.name()) }
            td { (capture.labels.text().unwrap_or_default()) }
            td { (humantime::format_rfc3339_seconds(capture.started)) }
            td { (format!("{:.0}", capture.seconds)) }
            td { (capture.total) " " (capture.unit) }
            td { a href={ (path) "?format=svg" } { "flame graph" } " " a href=(path) { "pprof" } }
        }
    }
}
