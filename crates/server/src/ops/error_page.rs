//! Errors as pages, for browsers: the same words as in the JSON that programs get.

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CONTENT_LENGTH, CONTENT_TYPE},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use maud::{Markup, html};
use observe::{format::wants_html, html::ops_page_with};
use serde::Deserialize;

/// Longest error that is turned into a page.
const MOST_BYTES: usize = 64 * 1024;

/// The parts of an error that people need.
#[derive(Deserialize)]
struct Problem {
    title: String,
    detail: String,
    request_id: String,
    #[serde(default)]
    errors: Vec<Field>,
}

#[derive(Deserialize)]
struct Field {
    field: String,
    message: String,
}

/// Turns errors into pages where the client is a browser that shows a page. A script of a page asks
/// for anything (`*/*`), and gets JSON.
pub async fn show(request: Request, next: Next) -> Response {
    let is_shown = wants_html(request.headers());
    let path = request.uri().path_and_query().map_or_else(String::new, ToString::to_string);
    let response = next.run(request).await;
    if is_shown && is_problem(response.headers()) {
        page_of(response, &path).await
    } else {
        response
    }
}

fn is_problem(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|it| it.as_bytes() == b"application/problem+json")
}

async fn page_of(response: Response, path: &str) -> Response {
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, MOST_BYTES).await else { return parts.status.into_response() };
    let Ok(problem) = serde_json::from_slice::<Problem>(&bytes) else {
        return Response::from_parts(parts, Body::from(bytes));
    };
    let page = page(&problem, parts.status, path).into_string();
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    Response::from_parts(parts, Body::from(page))
}

fn page(problem: &Problem, status: StatusCode, path: &str) -> Markup {
    let Problem { title, detail, request_id, errors } = problem;
    // Forms of a page without a referrer send no origin, which a state change needs.
    let head = html! { meta name="referrer" content="same-origin"; };
    ops_page_with(
        title,
        &head,
        &html! {
            h1 { (status.as_u16()) " · " (title) }
            p { (capitalised(detail)) "." }
            @if !errors.is_empty() {
                ul { @for Field { field, message } in errors { li { code { (field) } ": " (message) } } }
            }
            @if status == StatusCode::UNAUTHORIZED { (token_form(path)) }
            p { a href="/" { "All labs" } }
            p { small { "Request " code { (request_id) } } }
        },
    )
}

/// Form that exchanges the token of ops for a cookie, and goes on to the page that was refused.
fn token_form(path: &str) -> Markup {
    // This path is the form's own, refused for a wrong token.
    let path = if path == "/session" { "/" } else { path };
    html! {
        form.filters action="/session" method="post" {
            input type="hidden" name="next" value=(path);
            label { "Token (OPS_TOKEN)" input type="password" name="token" autocomplete="current-password" required; }
            button { "Open" }
        }
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use observe::error::{FieldError, problem};

    use super::*;

    #[tokio::test]
    async fn a_page_says_what_the_json_says_and_keeps_the_status() {
        let errors = vec![FieldError::new("a", "a <whole> number is needed")];
        let json = problem(
            StatusCode::UNPROCESSABLE_ENTITY,
            "a of the request can't be used".to_owned(),
            Some(errors),
        );
        assert!(is_problem(json.headers()));
        let page = page_of(json, "/labs").await;
        assert_eq!(page.status(), StatusCode::UNPROCESSABLE_ENTITY);
        let text = to_bytes(page.into_body(), MOST_BYTES).await.unwrap();
        let text = String::from_utf8(text.to_vec()).unwrap();
        for part in [
            "<h1>422 · Unprocessable Entity</h1>",
            "A of the request can't be used.",
            "a &lt;whole&gt; number",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("/session"));
    }
}
