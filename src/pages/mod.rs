//! The pages a browser sees, built on the server. Styles are a file of their own: no page needs
//! inline styles or scripts, and the content security policy forbids them.

use axum::{
    Router,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    response::IntoResponse,
    routing::get,
};
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// `/debug/blocked` on the ops port.
pub mod blocked;
/// `/debug/pprof/captures` on the ops port.
pub mod captures;
/// `/` on the app port.
pub mod front;
/// `/` and `/labs/{id}` on the ops port.
pub mod lab;
/// `/debug/traces` on the ops port.
pub mod traces;

const STYLE: &str = include_str!("../../web/style.css");

/// The style sheet, which both ports serve.
pub fn style<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/style.css", get(style_sheet))
}

async fn style_sheet() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, "max-age=60")], STYLE)
}

fn page(title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                link rel="stylesheet" href="/style.css";
            }
            body { main { (body) } }
        }
    }
}

/// Our own Markdown, as HTML.
fn markdown(text: &str) -> Markup {
    let options = pulldown_cmark::Options::ENABLE_TABLES;
    let mut out = String::new();
    pulldown_cmark::html::push_html(&mut out, pulldown_cmark::Parser::new_ext(text, options));
    PreEscaped(out)
}
