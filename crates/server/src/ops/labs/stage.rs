//! The stage: the page of one lab. Guess, race, why, code, fix. The scripts of `web/stage` fill in what
//! is measured; without them the page still has the lab's text, code and commands.

use std::net::SocketAddr;

use maud::{Markup, html};

use observe::html::ops_page_with;
use workshop::{
    evidence::Evidence,
    lab::{Labs, LoadedLab},
    progress::LabProgress,
};

use super::{catalogue::standing, stylesheet};
use crate::ops::assets;

/// Slow's and yours' code, and the difference to fast.
mod code;
/// Load tests to run in a terminal.
mod commands;
/// Counts to guess from.
mod guess;
/// The guess, the controls and the board of a race.
mod race;
/// Sections of the lab's README.
mod readme;
/// Traces and flame graphs of both sides.
mod why;

/// What the page shows beside the lab itself.
pub struct Stage<'a> {
    pub labs: &'a Labs,
    pub loaded: &'a LoadedLab,
    pub progress: LabProgress,
    /// True if it was raced on this server.
    pub has_race: bool,
    /// True if yours.rs can be shown.
    pub has_yours: bool,
    pub app_addr: SocketAddr,
}

pub fn page(stage: &Stage<'_>) -> Markup {
    let Stage { labs, loaded, progress, has_yours, app_addr, .. } = stage;
    let evidence = &loaded.evidence;
    let is_solved = progress.green || progress.proven;
    let next = neighbour(labs, loaded, 1);
    let text = readme::Readme::of(loaded.lab.readme);
    ops_page_with(
        &format!("{} · Chokepoint", evidence.title),
        &head(evidence),
        &html! {
            div.stage data-stage=(data(stage)) {
                header.lab {
                    p.crumbs {
                        a href="/" { "All labs" } " · " (evidence.area.title()) " " (standing(*progress))
                        span.tools {
                            button.link type="button" data-open="projector" { "Projector " kbd { "p" } }
                            button.link type="button" data-open="keys" { "Keys " kbd { "?" } }
                        }
                        @if let Some(next) = next {
                            a.next href={ "/labs/" (next.lab.id) } data-key="n" { "Next: " (next.evidence.title) }
                        }
                    }
                    h1 { (evidence.title) }
                    p.question { (evidence.question) }
                    @if let Some(missing) = evidence.needs.missing() { p { strong { "This lab " (missing) "." } } }
                    (conditions(evidence))
                }
                (race::section(loaded))
                (why::section())
                (code::section(loaded, *has_yours, is_solved))
                section.text aria-labelledby="fix-it" {
                    h2 #fix-it { "Fix it" }
                    (text.part("Symptom", true))
                    (hints(evidence))
                    p { "Edit yours.rs, and have it graded on each save:" }
                    pre { code { "chokepoint watch " (loaded.lab.id) } }
                    @for (name, is_open) in readme::FOLDED { (text.part(name, is_open || is_solved)) }
                }
                (commands::section(loaded, *app_addr))
            }
            (keys())
        },
    )
}

fn head(evidence: &Evidence) -> Markup {
    html! {
        meta name="description" content=(evidence.question);
        (stylesheet())
        link rel="stylesheet" href={ (assets::PATH) "vendor/uplot/dist/uPlot.min.css" };
        script src={ (assets::PATH) "vendor/uplot/dist/uPlot.iife.min.js" } defer {}
        script src={ (assets::PATH) "stage/stage.js" } type="module" {}
    }
}

/// The lab so many places later in teaching order.
fn neighbour<'a>(labs: &'a Labs, loaded: &LoadedLab, places: usize) -> Option<&'a LoadedLab> {
    let all = labs.all();
    let place = all.iter().position(|other| other.lab.id == loaded.lab.id)?;
    all.get(place + places)
}

/// What the scripts need to know, as JSON in an attribute: the policy allows no inline script.
fn data(stage: &Stage<'_>) -> String {
    let Stage { loaded, progress, has_race, .. } = stage;
    let evidence = &loaded.evidence;
    let variant = |name: &str| {
        let fix = evidence.wrong_fixes.iter().find(|fix| fix.name == name);
        serde_json::json!({ "name": name, "path": evidence.route(name), "idea": fix.map(|fix| &fix.idea) })
    };
    serde_json::json!({
        "id": loaded.lab.id,
        "variants": evidence.variants().map(variant).collect::<Vec<_>>(),
        "telling": guess::telling(evidence),
        "has_race": has_race,
        "is_solved": progress.green || progress.proven,
        "recording": assets::text(&recording(loaded.lab.id)).map(|_| format!("{}{}", assets::PATH, recording(loaded.lab.id))),
    })
    .to_string()
}

/// Path of the committed recording of a race.
fn recording(id: &str) -> String {
    format!("recordings/{id}.json")
}

/// Needs of the lab, and the way to start a server for it.
fn conditions(evidence: &Evidence) -> Markup {
    let needs = evidence.needs.listed();
    let settings = evidence.settings.iter().map(|(name, value)| format!("{name}={value} "));
    html! {
        @if !needs.is_empty() { p { "It needs " (needs.join(", ")) "." } }
        @if let Some(exhausts) = evidence.exhausts { p { (exhausts.warning()) } }
        @if !evidence.settings.is_empty() {
            p {
                "Start the server for it with "
                code { (settings.collect::<String>()) "chokepoint" }
                "; " code { "prove" } " does."
            }
        }
    }
}

/// Hints, each shown when it is asked for.
fn hints(evidence: &Evidence) -> Markup {
    html! {
        div.hints data-hints {
            ol { @for hint in &evidence.hints { li hidden { (hint) } } }
            p {
                button type="button" data-key="h" { "Show a hint" }
                " " span.quiet data-hints-left { "There are " (evidence.hints.len()) ", each stronger than the one before." }
            }
        }
    }
}

/// List of the keys, which `?` opens.
fn keys() -> Markup {
    const KEYS: [(&str, &str); 9] = [
        ("r", "race: slow, then fast, with the same arrivals"),
        ("g", "gate: the proof load, with a verdict"),
        ("s", "stop"),
        ("space", "replay the race"),
        ("h", "next hint"),
        ("d", "difference of slow and fast"),
        ("n", "next lab"),
        ("p", "projector: the race alone, and large"),
        ("?", "these keys"),
    ];
    html! {
        dialog #keys aria-labelledby="keys-title" {
            h2 #keys-title { "Keys" }
            dl.keys { @for (key, about) in KEYS { dt { kbd { (key) } } dd { (about) } } }
            form method="dialog" { button { "Close" } }
        }
    }
}
