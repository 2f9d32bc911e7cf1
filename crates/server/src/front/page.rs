//! The HTML of the front end: what a browser needs to load it, and a frame to show meanwhile.

use std::net::SocketAddr;

use maud::{DOCTYPE, Markup, html};
use product::config::Config;

use super::Web;

const ABOUT: &str = "Todos and a blog on a server that says what each click cost: milliseconds, \
    queries, cache and queue, with its trace.";

/// Addresses of ops, as far as a page can know them.
#[derive(Clone)]
pub struct Ops {
    /// Address that the operator named.
    public_url: Option<String>,
    bound: SocketAddr,
}

impl Ops {
    pub fn of(config: &Config, bound: SocketAddr) -> Self {
        Self { public_url: config.ops_public_url.clone(), bound }
    }

    /// True if only a browser on this machine reaches ops.
    fn is_local(&self) -> bool {
        self.bound.ip().to_canonical().is_loopback()
    }
}

/// Paths of the embedded files that end so, in the order of their names.
fn files(end: &str) -> Vec<String> {
    let mut files: Vec<String> =
        Web::iter().filter(|path| path.ends_with(end)).map(Into::into).collect();
    files.sort();
    files
}

/// Page of this version of the files. All modules are named ahead, so that none waits for another to
/// be read first.
pub fn page(ops: &Ops, version: &str) -> Markup {
    let at = |path: &str| format!("/web/{version}/{path}");
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Chokepoint" }
                meta name="description" content=(ABOUT);
                meta name="color-scheme" content="light dark";
                @if let Some(url) = &ops.public_url { meta name="ops-url" content=(url); }
                meta name="ops-port" content=(ops.bound.port()) data-local[ops.is_local()];
                link rel="icon" type="image/svg+xml" href=(at("front/favicon.svg"));
                @for path in files(".css") { link rel="stylesheet" href=(at(&path)); }
                @for path in files(".js") { link rel="modulepreload" href=(at(&path)); }
                script type="module" src=(at("front/main.js")) {}
            }
            body {
                div id="app" {
                    header class="top" {
                        div class="top-row" {
                            a class="brand" href="#/" { "Chokepoint" }
                        }
                    }
                    main id="main" {
                        noscript {
                            h1 { "Todos and a blog" }
                            p {
                                "This page needs JavaScript. The API behind it does not: "
                                a href="/docs" { "its description" } "."
                            }
                        }
                    }
                }
            }
        }
    }
}
