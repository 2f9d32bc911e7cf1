//! The last polls that held a worker, newest first.

use std::time::Duration;

use maud::{Markup, html};

use super::page;
use crate::telemetry::{
    blocked::{BLOCKED_FROM, BlockedPoll, KEPT},
    cost::Counter,
};

pub fn list(polls: &[BlockedPoll], seen: u64) -> Markup {
    page(
        "Chokepoint · blocked polls",
        &html! {
            p { a href="/" { "All labs" } }
            h1 { "Blocked polls" }
            p {
                "Polls that held a worker for " (BLOCKED_FROM.as_millis()) " ms or longer: meanwhile no "
                "other request of that worker went on. Switches say that the thread gave its core up, "
                "which is blocking; CPU says that it computed."
            }
            p {
                (seen) " since the start; the last " (KEPT) " are kept, " (polls.len()) " shown. "
                a href="/debug/blocked?format=json" { "As JSON" }
            }
            @if polls.is_empty() {
                p { strong { "No poll that is kept is like that." } }
            } @else {
                (table(polls))
            }
        },
    )
}

fn table(polls: &[BlockedPoll]) -> Markup {
    let is_measured = Counter::Switches.is_measured();
    html! {
        table {
            thead {
                tr {
                    th { "Began" } th { "Route" } th { "Lab" } th { "Held" }
                    @if is_measured { th { "CPU" } th { "Switches" } }
                    th { "Request" }
                }
            }
            tbody {
                @for poll in polls {
                    tr {
                        td { (humantime::format_rfc3339_millis(poll.started)) }
                        td { code { (poll.route) } }
                        td { (poll.lab.unwrap_or("–")) " " (poll.variant.as_deref().unwrap_or_default()) }
                        td { (millis(poll.wall)) }
                        @if is_measured { td { (millis(poll.cpu)) } td { (poll.switches) } }
                        td { a href={ "/debug/traces/" (poll.ids.trace) } { (poll.ids.request) } }
                    }
                }
            }
        }
    }
}

fn millis(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}
