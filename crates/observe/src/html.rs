//! HTML pages, built on the server. Styles and scripts are separate files: the content security
//! policy forbids inline ones.

use std::time::SystemTime;

use axum::{
    Router,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    response::IntoResponse,
    routing::get,
};
use maud::{DOCTYPE, Markup, html};

const STYLE: &str = include_str!("../web/style.css");
const ICON: &str = include_str!("../web/favicon.svg");
/// Chooses between dark and light before the page is drawn.
const SCHEME: &str = include_str!("../web/scheme.js");

/// Pages of this crate, for the bar at the top.
const BAR: [(&str, &str); 5] = [
    ("/", "Home"),
    ("/debug/traces", "Traces"),
    ("/debug/blocked", "Blocked polls"),
    ("/debug/pprof/captures", "Profiles"),
    ("/metrics", "Metrics"),
];

/// Serves the style sheet of all pages.
pub fn style<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/style.css", get(async || file("text/css; charset=utf-8", STYLE)))
}

/// Serves the style sheet, and what the pages of the ops port need besides.
pub fn look<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let icon = || get(async || file("image/svg+xml", ICON));
    style()
        .route("/scheme.js", get(async || file("text/javascript; charset=utf-8", SCHEME)))
        .route("/favicon.svg", icon())
        // Asked for by browsers that show an answer which is no page.
        .route("/favicon.ico", icon())
}

fn file(content_type: &'static str, text: &'static str) -> impl IntoResponse {
    ([(CONTENT_TYPE, content_type), (CACHE_CONTROL, "max-age=60")], text)
}

/// Renders a page with a title, and the style sheet that all pages share.
pub fn page(title: &str, body: &Markup) -> Markup {
    document(title, &html! {}, &html! { main { (body) } })
}

/// Renders a page of the ops port: with a bar that leads to the others, and a choice of the colours.
pub fn ops_page(title: &str, body: &Markup) -> Markup {
    ops_page_with(title, &html! {}, body)
}

/// Renders a page of the ops port, with more in its head: scripts, and style sheets of its own.
pub fn ops_page_with(title: &str, head: &Markup, body: &Markup) -> Markup {
    let head = html! {
        link rel="icon" href="/favicon.svg";
        script src="/scheme.js" {}
        (head)
    };
    let body = html! {
        a.skip href="#main" { "Skip to the content" }
        header.bar {
            nav aria-label="Pages" { @for (path, name) in BAR { a href=(path) { (name) } } }
            button.plain type="button" data-scheme-switch title="Dark or light" {
                span aria-hidden="true" { "◐" }
                span.unseen { "Dark or light" }
            }
        }
        main #main { (body) }
    };
    document(title, &head, &body)
}

fn document(title: &str, head: &Markup, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                link rel="stylesheet" href="/style.css";
                (head)
            }
            body { (body) }
        }
    }
}

/// A table that scrolls by itself where a screen is narrower than it is, so that the page does not.
pub fn scrolling(name: &str, table: &Markup) -> Markup {
    html! { div.scrolling role="region" tabindex="0" aria-label=(name) { (table) } }
}

/// Time of day, with the full time as a tooltip.
pub fn moment(time: SystemTime) -> Markup {
    let full = humantime::format_rfc3339_millis(time).to_string();
    let of_day = full.split_once('T').map_or(&*full, |(_, of_day)| of_day);
    html! { time datetime=(full) title=(full) { (of_day) } }
}

/// A count with its noun, in the singular if it is one.
pub fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn one_is_singular_and_none_is_not() {
        let queries = [0, 1, 2].map(|count| counted(count, "query", "queries"));
        assert_eq!(queries, ["0 queries", "1 query", "2 queries"]);
    }
}
