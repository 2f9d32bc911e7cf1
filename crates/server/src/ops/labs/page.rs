//! Lab pages of the ops port: the catalogue, and one lab with its text, figures and commands.

use maud::{Markup, PreEscaped, html};

use observe::html::page;
use observe::{cost::Counter, measurements::Summary};
use workshop::{
    evidence::{Evidence, Request},
    lab::{Labs, LoadedLab},
};

/// Counters shown on a lab's page, beside those its evidence names.
const SHOWN: [Counter; 4] =
    [Counter::ElapsedMs, Counter::Queries, Counter::Switches, Counter::OffCpuMs];

pub fn catalogue(labs: &Labs) -> Markup {
    page(
        "Chokepoint · labs",
        &html! {
            h1 { "Labs" }
            @for of_area in labs.all().chunk_by(|a, b| a.evidence.area == b.evidence.area) {
                @if let Some(first) = of_area.first() {
                    h2 { (first.evidence.area.title()) }
                }
                ol {
                    @for loaded in of_area {
                        li {
                            a href={ "/labs/" (loaded.lab.id) } { (loaded.evidence.title) }
                            p {
                                (loaded.evidence.question) " "
                                a href={ "/debug/traces?lab=" (loaded.lab.id) } { "Its traces" }
                            }
                        }
                    }
                }
            }
            h2 { "Signals" }
            ul {
                li { a href="/debug/blocked" { "Blocked polls" } ": the last ones that held a worker for 10 ms or longer" }
                li { a href="/log-filter" { "Log filter" } ": what is logged now; " code { "PUT" } " changes it for a while" }
                li { a href="/debug/traces" { "Recent traces" } ": what a request spent its time on, query by query" }
                li { a href="/metrics" { "Metrics" } ", as Prometheus scrapes them" }
                li { a href="/debug/pprof/flamegraph?seconds=5&mode=wall" { "Wall-clock flame graph" } " of the next 5 s: where threads spend their time, asleep or not" }
                li { a href="/debug/pprof/flamegraph?seconds=5&mode=cpu" { "CPU flame graph" } " of the next 5 s: where cores spend theirs" }
            }
        },
    )
}

pub fn lab(loaded: &LoadedLab) -> Markup {
    let evidence = &loaded.evidence;
    let id = loaded.lab.id;
    let summaries = loaded.summaries();
    page(
        &evidence.title,
        &html! {
            p { a href="/" { "All labs" } }
            h1 { (evidence.title) }
            p.question { (evidence.question) }
            @if let Some(missing) = evidence.needs.missing() { p { strong { "This lab " (missing) "." } } }
            (conditions(evidence))
            h2 { "Hints" }
            @for (number, hint) in (1..).zip(&evidence.hints) {
                details { summary { "Hint " (number) } p { (hint) } }
            }
            h2 { "Request" }
            pre { (request(evidence)) }
            h2 { "Commands" }
            pre { (commands(id)) }
            h2 { "Measured since the start" }
            (figures(&summaries.iter().map(|(variant, s)| (*variant, s)).collect::<Vec<_>>()))
            (markdown(loaded.lab.readme))
            details {
                summary { "slow.rs" }
                pre { (loaded.lab.slow_source) }
            }
            details {
                summary { "fast.rs" }
                pre { (loaded.lab.fast_source) }
            }
            p {
                a href={ "/debug/traces?lab=" (id) } { "Recent traces" } " of this lab, "
                a href={ "/debug/traces?lab=" (id) "&variant=slow" } { "of slow" } ", "
                a href={ "/debug/traces?lab=" (id) "&variant=fast" } { "of fast" } "; "
                a href={ "/labs/" (id) "/measurements?variant=slow" } { "measurements" } " as JSON"
            }
        },
    )
}

/// Needs of the lab, and the way to start a server for it.
fn conditions(evidence: &Evidence) -> Markup {
    let needs = evidence.needs.listed();
    let settings = evidence.settings.iter().map(|(name, value)| format!("{name}={value} "));
    html! {
        @if !needs.is_empty() { p { "It needs " (needs.join(", ")) "." } }
        @if !evidence.settings.is_empty() {
            p {
                "Start the server for it with "
                code { (settings.collect::<String>()) "chokepoint" }
                "; " code { "prove" } " does."
            }
        }
    }
}

/// The request to slow, as lab.json describes it.
fn request(evidence: &Evidence) -> String {
    let Request { method, query, headers, log_in, body, .. } = &evidence.request;
    let query: Vec<_> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    let mut text = format!("{} {}{query}", method.name(), evidence.route("slow"));
    for (name, value) in headers {
        text += &format!("\n{name}: {value}");
    }
    if *log_in {
        text += "\nauthorization: Bearer (the token of a log-in)";
    }
    if let Some(body) = body {
        text += &format!("\n\n{body:#}");
    }
    text
}

fn commands(id: &str) -> String {
    format!(
        "k6 run -e LAB={id} -e VARIANT=slow k6/lab.js\n\
         k6 run -e LAB={id} -e VARIANT=fast k6/lab.js\n\
         chokepoint prove {id}"
    )
}

fn figures(summaries: &[(&str, &Summary)]) -> Markup {
    html! {
        table {
            thead {
                tr {
                    th { "Variant" } th { "Requests" }
                    @for counter in SHOWN { th { (counter.name()) } }
                }
            }
            tbody {
                @for (variant, summary) in summaries {
                    tr {
                        td { (variant) } td { (summary.count) }
                        @for counter in SHOWN {
                            td {
                                @if let Some(f) = summary.counters.get(&counter) {
                                    (format!("{:.0} to {:.0}", f.min, f.max))
                                } @else { (PreEscaped("&ndash;")) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Converts our own Markdown to HTML.
fn markdown(text: &str) -> Markup {
    let options = pulldown_cmark::Options::ENABLE_TABLES;
    let mut out = String::new();
    pulldown_cmark::html::push_html(&mut out, pulldown_cmark::Parser::new_ext(text, options));
    PreEscaped(out)
}
