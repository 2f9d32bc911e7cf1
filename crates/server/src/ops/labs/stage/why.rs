//! Skeleton of "Why": a slow and a fast trace on one time scale, and flame graphs on one scale.

use maud::{Markup, html};

pub fn section() -> Markup {
    html! {
        section.why aria-labelledby="why-title" data-why {
            h2 #why-title { "Why" }
            p.quiet data-why-empty { "A race takes a trace and two profiles of each lane; they are shown here." }
            div data-traces {}
            div.flames data-flames hidden {
                h3 { "Where the threads were" }
                div.choices data-flame-modes role="group" aria-label="Kind of profile" {
                    button type="button" value="wall" aria-pressed="true" { "Wall clock" }
                    button type="button" value="cpu" aria-pressed="false" { "CPU" }
                }
                p.quiet data-flame-about {}
                div data-flame-graphs {}
                p.flame-said data-flame-said {}
            }
            dialog.speedscope data-speedscope aria-label="speedscope" {
                form method="dialog" { a target="_blank" rel="noopener" { "In a tab of its own" } " " button { "Close" } }
                div data-frame {}
            }
        }
    }
}
