//! The front page: what is served here, and what to try first.

use axum::{Router, extract::State, routing::get};
use maud::{Markup, html};

use super::page;
use crate::state::AppState;

pub fn router() -> Router<AppState> {
    Router::new().route("/", get(handler)).merge(super::style())
}

async fn handler(State(AppState { labs, .. }): State<AppState>) -> Markup {
    page(
        "Chokepoint",
        &html! {
            h1 { "Chokepoint" }
            p { "Every lesson is a real bottleneck, served beside its fix, on the same data." }
            table {
                thead { tr { th { "Lab" } th { "Slow" } th { "Fast" } th { "Yours" } } }
                tbody {
                    @for loaded in labs.all() {
                        tr {
                            td { (loaded.evidence.title) }
                            @for variant in ["slow", "fast", "yours"] {
                                @let path = loaded.evidence.route(variant);
                                td { a href=(path) { (path) } }
                            }
                        }
                    }
                }
            }
            h2 { "What to look at" }
            p {
                "Open your browser's network panel and load a slow variant: its "
                code { "Server-Timing" }
                " header says what the request cost. The ops port (8001 by default) has the lab texts, "
                "metrics and flame graphs."
            }
        },
    )
}
