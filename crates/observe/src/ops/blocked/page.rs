//! HTML page of the last polls that held a worker, newest first.

use std::time::Duration;

use maud::{Markup, html};

use crate::{
    blocked::{BLOCKED_FROM, BlockedPoll, KEPT},
    cost::Counter,
};
use crate::{
    html::{counted, moment, ops_page, scrolling},
    labels::{Labels, RouteLabels},
};

pub fn list(polls: &[BlockedPoll], seen: u64, labels: &RouteLabels) -> Markup {
    ops_page(
        "Blocked polls",
        &html! {
            h1 { "Blocked polls" }
            p {
                "Polls that held a worker for " (BLOCKED_FROM.as_millis()) " ms or longer: meanwhile no "
                "other request on that worker made progress. Switches mean that the thread gave up "
                "its core, so it blocked; CPU means that it computed."
            }
            p {
                (counted(seen, "such poll", "such polls")) " since the start"
                @if seen > KEPT as u64 { ", of which the newest " (KEPT) " are kept" }
                ". "
                a href="/debug/blocked?format=json" { "As JSON" }
            }
            @if polls.is_empty() {
                p { strong { @if seen == 0 { "No poll has held a worker so far." } @else { "None of the kept ones matches." } } }
            } @else {
                (scrolling("Blocked polls", &table(polls, labels)))
            }
        },
    )
}

fn table(polls: &[BlockedPoll], labels: &RouteLabels) -> Markup {
    let is_measured = Counter::Switches.is_measured();
    html! {
        table {
            thead {
                tr {
                    th { "Began" } th { "Route" }
                    @if labels.keys().next().is_some() { th { "Labels" } }
                    th { "Held" }
                    @if is_measured { th { "CPU" } th { "Switches" } }
                    th { "Request" }
                }
            }
            tbody {
                @for poll in polls {
                    tr {
                        td { (moment(poll.started)) }
                        td { code { (poll.route) } }
                        @if labels.keys().next().is_some() { td { (of(&poll.labels)) } }
                        td.short { (millis(poll.wall)) }
                        @if is_measured { td.short { (millis(poll.cpu)) } td { (poll.switches) } }
                        td { a href={ "/debug/traces/" (poll.ids.trace) } { (poll.ids.request) } }
                    }
                }
            }
        }
    }
}

/// Values of all labels, or a dash.
fn of(labels: &Labels) -> String {
    let values: Vec<_> = labels.values().collect();
    if values.is_empty() { "–".to_owned() } else { values.join(" ") }
}

fn millis(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}
