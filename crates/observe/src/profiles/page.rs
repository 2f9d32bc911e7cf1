//! `/debug/pprof/captures`: the profiles that are kept, and a form that compares two of them.

use maud::{Markup, html};

use super::{Capture, CaptureList, Sampling as HeapSampling};
use crate::html::{counted, moment, ops_page, scrolling};

pub fn list(list: &CaptureList, sampling: &HeapSampling) -> Markup {
    ops_page(
        "Profiles",
        &html! {
            h1 { "Profiles" }
            p {
                "Take one now, of 5 s: "
                a href="/debug/pprof/flamegraph?seconds=5&mode=wall" { "wall clock" } ", where threads spend their time; "
                a href="/debug/pprof/flamegraph?seconds=5&mode=cpu" { "CPU" } ", where cores do; "
                a href="/debug/pprof/flamegraph?seconds=5&mode=heap" { "heap" } ", who allocates."
            }
            p { (kept(list)) " Heap sampling is " @if sampling.active { "on." } @else { "off." } }
            @if !list.captures.is_empty() { (comparison(list)) }
        },
    )
}

/// What is kept, listed or not, and what is gone.
fn kept(list: &CaptureList) -> String {
    let mut text = match list.kept {
        0 => "No profile has been taken yet.".to_owned(),
        1 => "One profile is kept.".to_owned(),
        kept => format!("{kept} profiles are kept, the newest first."),
    };
    if list.captures.len() < list.kept {
        let listed = counted(list.captures.len() as u64, "is of that time", "are of that time");
        text += &format!(" {listed}.");
    }
    if list.forgotten > 0 {
        let gone = counted(list.forgotten, "older one has", "older ones have");
        text += &format!(" {gone} made room for newer ones.");
    }
    text
}

fn comparison(list: &CaptureList) -> Markup {
    let table = html! {
        table {
            thead {
                tr {
                    th { "Before" } th { "After" } th { "Mode" } th { "Load" }
                    th { "Started" } th { "Seconds" } th { "Total" } th { "See" }
                }
            }
            tbody { @for capture in &list.captures { (row(capture)) } }
        }
    };
    html! {
        form action="/debug/pprof/diff" {
            (scrolling("Kept profiles", &table))
            p { button { "Compare" } " Red grew, blue shrank. Choose two profiles of one mode." }
        }
    }
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
            td { (moment(capture.started)) }
            td { (format!("{:.0}", capture.seconds)) }
            td.short { (capture.total) " " (capture.unit) }
            td { a href={ (path) "?format=svg" } { "flame graph" } " · " a href=(path) { "pprof" } }
        }
    }
}
