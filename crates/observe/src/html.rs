//! HTML pages, built on the server. Styles are in a separate file: the content security policy
//! forbids inline styles and scripts.

use axum::{
    Router,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    response::IntoResponse,
    routing::get,
};
use maud::{DOCTYPE, Markup, html};

const STYLE: &str = include_str!("../web/style.css");

/// Serves the style sheet of all pages.
pub fn style<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/style.css", get(style_sheet))
}

async fn style_sheet() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, "max-age=60")], STYLE)
}

/// Renders a page with a title, and the style sheet that all pages share.
pub fn page(title: &str, body: &Markup) -> Markup {
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
