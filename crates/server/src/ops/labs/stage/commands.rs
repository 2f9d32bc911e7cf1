//! Load tests of a lab as lines for a terminal, with the ports of this server: k6, oha and wrk.

use std::net::SocketAddr;

use maud::{Markup, html};

use workshop::{
    evidence::{Method, Request},
    lab::LoadedLab,
};

/// The first virtual user, as every load of this program signs it up.
const ACCOUNT: &str = r#"{"username":"virtual_user_1","email":"virtual_user_1@example.com","password":"correct horse battery staple"}"#;
const LOG_IN: &str =
    r#"{"email":"virtual_user_1@example.com","password":"correct horse battery staple"}"#;

pub fn section(loaded: &LoadedLab, app_addr: SocketAddr) -> Markup {
    let id = loaded.lab.id;
    let request = &loaded.evidence.request;
    let app = format!("http://{app_addr}");
    html! {
        section.commands aria-labelledby="commands-title" {
            h2 #commands-title { "From a terminal" }
            @for (name, about, line) in [
                ("k6", "the gate of the lab: exit code 99 on slow, 0 on fast", k6(id, &app)),
                ("oha", "one request over and over, with a histogram", oha(request, &app)),
                ("wrk", "the same, as fast as it goes", wrk(request, &app)),
                ("prove", "all of it on a fresh server, with evidence", format!("chokepoint prove {id}")),
            ] {
                h3 { (name) } p.quiet { (about) }
                pre tabindex="0" { code { (line) } }
            }
            p {
                "More of this lab: " a href={ "/debug/traces?lab=" (id) } { "traces" } ", "
                a href={ "/debug/blocked?lab=" (id) } { "blocked polls" } ", "
                a href="/debug/pprof/captures" { "profiles" } ", "
                a href={ "/labs/" (id) "/measurements?variant=slow" } { "measurements of slow" } " and "
                a href={ "/labs/" (id) "/measurements?variant=fast" } { "of fast" } ", "
                a href="/metrics" { "metrics" } " with " code { "lab=\"" (id) "\"" } "."
            }
        }
    }
}

fn k6(id: &str, app: &str) -> String {
    ["slow", "fast"]
        .map(|variant| {
            format!("k6 run -e LAB={id} -e VARIANT={variant} -e BASE_URL={app} k6/lab.js")
        })
        .join("\n")
}

fn oha(request: &Request, app: &str) -> String {
    let mut line = format!("oha -z 10s -c 10 -m {}", request.method.name());
    for header in headers(request) {
        line += &format!(" -H {}", quoted(&header));
    }
    if let Some(body) = body(request) {
        line += &format!(" -d {}", quoted(&body));
    }
    format!("{}{line} {}", token(request, app), quoted(&url(request, app)))
}

fn wrk(request: &Request, app: &str) -> String {
    let mut line = "wrk -t1 -c10 -d10s --latency".to_owned();
    for header in headers(request) {
        line += &format!(" -H {}", quoted(&header));
    }
    if request.method != Method::Get {
        let body = body(request).unwrap_or_default();
        let script = format!("wrk.method=\"{}\" wrk.body=[[{body}]]", request.method.name());
        line += &format!(" -s <(echo {})", quoted(&script));
    }
    format!("{}{line} {}", token(request, app), quoted(&url(request, app)))
}

fn url(request: &Request, app: &str) -> String {
    let query: Vec<_> =
        request.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    filled(&format!("{app}{}{query}", request.route("slow")))
}

fn headers(request: &Request) -> Vec<String> {
    let mut all: Vec<_> =
        request.headers.iter().map(|(name, value)| filled(&format!("{name}: {value}"))).collect();
    if request.body.is_some() {
        all.push("content-type: application/json".to_owned());
    }
    if request.log_in {
        all.push("authorization: Bearer $TOKEN".to_owned());
    }
    all
}

/// The body with the numbers of the first user and of the first request.
fn body(request: &Request) -> Option<String> {
    request.body.as_ref().map(|body| filled(&body.to_string()))
}

fn filled(text: &str) -> String {
    text.replace("{user}", "1").replace("{n}", "1")
}

/// Lines that make an account and set TOKEN.
fn token(request: &Request, app: &str) -> String {
    if !request.log_in {
        return String::new();
    }
    let post = |path: &str, body: &str| {
        let body = quoted(body);
        format!("curl -s -H 'content-type: application/json' -d {body} {app}/api/v2/auth/{path}")
    };
    let (sign_up, log_in) = (post("register", ACCOUNT), post("login", LOG_IN));
    format!("{sign_up} >/dev/null\nTOKEN=$({log_in} | jq -r .access_token)\n")
}

/// Text as one word of a shell. The variable of the token stays one.
fn quoted(text: &str) -> String {
    if text.contains("$TOKEN") {
        format!("\"{text}\"")
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}
