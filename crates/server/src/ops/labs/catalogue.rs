//! The catalogue: all labs in teaching order, area by area, with the learner's progress; and the other
//! pages of ops.

use maud::{Markup, html};

use observe::html::ops_page_with;
use workshop::{
    lab::{Labs, LoadedLab},
    progress::{LabProgress, Progress},
};

use super::stylesheet;

/// Pages about the process as a whole.
const SIGNALS: [(&str, &str, &str); 6] = [
    ("/debug/traces", "Recent traces", "what a request spent its time on, query by query"),
    ("/debug/blocked", "Blocked polls", "the last ones that held a worker for 10 ms or longer"),
    ("/debug/pprof/captures", "Profiles", "flame graphs that were taken, and their differences"),
    ("/metrics", "Metrics", "as Prometheus scrapes them"),
    ("/log-filter", "Log filter", "what is logged now; PUT changes it for a while"),
    ("/debug/live", "Workers now", "what each app worker polls, as JSON"),
];

/// Number of labs from which each question has one line, so that all fit a projector.
const MANY: usize = 16;

pub fn page(labs: &Labs, progress: &Progress) -> Markup {
    let of = |loaded: &LoadedLab| progress.of(loaded.lab.id);
    let is_solved = |loaded: &&LoadedLab| of(loaded).green || of(loaded).proven;
    let (all, solved) = (labs.all().len(), labs.all().iter().filter(is_solved).count());
    ops_page_with(
        "Chokepoint · labs",
        &html! {
            meta name="description" content="Real bottlenecks, each served live beside its fix.";
            (stylesheet())
        },
        &html! {
            div.catalogue.many[all > MANY] {
                header {
                    h1 { "Chokepoint" }
                    p { "Each lab is a real bottleneck, served live beside its fix. Race them, see why, fix it." }
                    p.solved { strong { (solved) " of " (all) } " solved" }
                }
                @for of_area in labs.all().chunk_by(|a, b| a.evidence.area == b.evidence.area) {
                    @if let Some(first) = of_area.first() {
                        section.area {
                            h2 { (first.evidence.area.title()) }
                            ol { @for loaded in of_area { (entry(loaded, of(loaded))) } }
                        }
                    }
                }
                section.area.wide {
                    h2 { "The whole process" }
                    ul { @for (path, name, about) in SIGNALS { li { a href=(path) { (name) } p { (about) } } } }
                }
            }
        },
    )
}

fn entry(loaded: &LoadedLab, progress: LabProgress) -> Markup {
    let question = &loaded.evidence.question;
    html! {
        li {
            a href={ "/labs/" (loaded.lab.id) } { (loaded.evidence.title) }
            " " (standing(progress))
            p title=(question) { (question) }
        }
    }
}

/// Progress on a lab in a word, and its hints.
pub fn standing(progress: LabProgress) -> Markup {
    let class = if progress.green || progress.proven { "standing done" } else { "standing" };
    html! {
        @if progress != LabProgress::default() {
            span class=(class) {
                (progress.standing())
                @if progress.hints > 0 { ", " (observe::html::counted(progress.hints as u64, "hint", "hints")) }
            }
        }
    }
}
