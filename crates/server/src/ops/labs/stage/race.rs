//! Skeleton of the race: the guess, the controls, a lane for each variant, and places of the charts.
//! Their heights are reserved, so that nothing moves when they are drawn.

use maud::{Markup, html};

use workshop::{evidence::Evidence, lab::LoadedLab};

use super::guess;

/// Answers to "how large": bounds of the powers of ten around them.
const SIZES: [(&str, &str); 4] =
    [("0", "1 or 2"), ("1", "about 10"), ("2", "about 100"), ("3", "1,000 or more")];

const NUMERALS: [(&str, &str); 6] = [
    ("p95", "p95, last 5 s"),
    ("p50", "p50"),
    ("answered", "answered"),
    ("in_flight", "in flight"),
    ("oldest", "oldest of them"),
    ("failed", "failed"),
];

pub fn section(loaded: &LoadedLab) -> Markup {
    html! {
        section.race aria-labelledby="race-title" {
            h2 #race-title.unseen { "The race" }
            (guess(&loaded.evidence))
            (controls(&loaded.evidence))
            p.status role="status" data-status {}
            div.board {
                div.lanes { @for lane in [0, 1] { (lane_card(lane)) } }
                div.charts {
                    div.chart-head {
                        h3 { "Latency" }
                        ul.legend data-legend {}
                    }
                    div.chart.latency data-chart="latency" role="img" aria-label="Latency over time: no race yet" {}
                    div.strips data-strips aria-hidden="true" {}
                    div.playback {
                        button type="button" data-replay data-key=" " disabled { "Replay" }
                        label { span.unseen { "Time in the race" } input type="range" min="0" max="1000" value="0" data-time disabled; }
                        output data-clock { "0.0 s" }
                    }
                }
            }
            div.outcome data-outcome {}
            p.quiet.followers data-followers {}
        }
    }
}

fn guess(evidence: &Evidence) -> Markup {
    html! {
        form.guess data-guess {
            p { strong { "Guess first. " } "Which count of one request tells slow from fast?" }
            div.choices data-which {
                @for (name, about) in guess::choices(evidence) {
                    button type="button" value=(name) aria-pressed="false" title=(about) { (name.replace('_', " ")) }
                }
            }
            p { "How large is it in slow?" }
            div.choices data-size {
                @for (value, text) in SIZES { button type="button" value=(value) aria-pressed="false" { (text) } }
            }
            p.revealed data-revealed role="status" {}
        }
    }
}

fn controls(evidence: &Evidence) -> Markup {
    html! {
        form.controls data-controls {
            @for (lane, name, chosen) in [(0, "First lane", "slow"), (1, "Second lane", "fast")] {
                label {
                    span { (name) }
                    select data-lane=(lane) {
                        @for variant in evidence.variants() {
                            option value=(variant) selected[variant == chosen] { (variant) }
                        }
                    }
                }
            }
            fieldset.visitors {
                legend { "Visitors" }
                @for visitors in [1, 10, 50] {
                    label { input type="radio" name="visitors" value=(visitors) checked[visitors == 10]; span { (visitors) } }
                }
            }
            label {
                span { "Seconds" }
                select data-seconds { @for seconds in [5, 10, 20, 60] { option value=(seconds) selected[seconds == 20] { (seconds) } } }
            }
            div.buttons {
                button.main type="submit" data-start="turns" data-key="r" { "Race" }
                button type="button" data-start="gate" data-key="g" title="The proof load, by k6's rules, with a verdict" { "Gate" }
                button type="button" data-start="both" title="Without a verdict: shows how a bad neighbour hurts" { "Both at once" }
                button type="button" data-stop data-key="s" disabled { "Stop" }
                button type="button" data-recording hidden { "Recording" }
            }
        }
    }
}

fn lane_card(lane: usize) -> Markup {
    html! {
        article.lane data-card=(lane) {
            header { h3 data-name { (["slow", "fast"][lane]) } p data-state { "not raced yet" } }
            dl.numerals {
                @for (key, name) in NUMERALS { div data-numeral=(key) { dt { (name) } dd { "–" } } }
                div.neighbour data-numeral="neighbour" { dt { "neighbour, worst of 2 s" } dd { "–" } }
            }
            div.slots data-slots { p.quiet { "Worker slots show what each worker polls." } }
        }
    }
}
