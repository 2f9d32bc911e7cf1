//! The front page: the URLs of this server, and what to try first.

use axum::{Router, routing::get};
use maud::{Markup, html};
use observe::html::{self, page};
use product::{api::openapi, config::Config};
use workshop::Labs;

/// Serves the page, which is built once: it does not change while the server runs.
pub fn router<S: Clone + Send + Sync + 'static>(config: &Config, labs: &Labs) -> Router<S> {
    let page = front(config, labs);
    Router::new().route("/", get(async move || page.clone())).merge(html::style())
}

fn front(config: &Config, labs: &Labs) -> Markup {
    // On other addresses a browser may need another name, or can't reach ops at all.
    let ops = config.ops_listen;
    let ops = (ops.ip().is_loopback() && ops.port() != 0).then_some(ops);
    page(
        "Chokepoint",
        &html! {
            h1 { "Chokepoint" }
            p { "Every lesson is a real bottleneck, served beside its fix, on the same data." }
            table {
                thead { tr { th { "Lab" } th { "Slow" } th { "Fast" } th { "Yours" } @if ops.is_some() { th { "Seen" } } } }
                tbody {
                    @for loaded in labs.all() {
                        tr {
                            td { (loaded.evidence.title) }
                            @for variant in ["slow", "fast", "yours"] {
                                @let path = loaded.evidence.route(variant);
                                td { a href=(path) { (path) } }
                            }
                            @if let Some(ops) = ops {
                                @let path = format!("/debug/traces?lab={}", loaded.lab.id);
                                td { a href={ "http://" (ops) (path) } { "traces" } }
                            }
                        }
                    }
                }
            }
            p {
                "The whole API is described at " a href="/docs" { "/docs" } ", and for programs at "
                a href=(openapi::PATH) { (openapi::PATH) } "."
            }
            h2 { "What to look at" }
            p {
                "Open your browser's network panel and load a slow variant: its "
                code { "Server-Timing" }
                " header says what the request cost. The ops port (8001 by default) has the lab texts, "
                "metrics, flame graphs, and a page for each recent trace: /debug/traces and the "
                code { "x-trace-id" } " of an answer."
            }
        },
    )
}
