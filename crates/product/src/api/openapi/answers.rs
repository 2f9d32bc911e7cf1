//! Responses that endpoints share: described once, and referenced by every operation that can give
//! them. The operation's shape decides which it references.

use axum::http::StatusCode;
use serde_json::{Value, json};
use utoipa::openapi::{
    Components, Content, ContentBuilder, Header, HeaderBuilder, Object, Ref, RefOr, Response,
    ResponseBuilder,
    path::{Operation, Parameter, ParameterIn},
    schema::Type,
};

const PROBLEM: &str = "application/problem+json";

/// A failure that is the same at every endpoint.
struct Failure {
    status: StatusCode,
    /// Description of the case in which it happens.
    when: &'static str,
    /// `detail` of the example.
    detail: &'static str,
    /// Headers beside those of every answer.
    headers: &'static [&'static str],
}

const fn failure(status: StatusCode, when: &'static str, detail: &'static str) -> Failure {
    Failure { status, when, detail, headers: &[] }
}

const FAILURES: [Failure; 12] = [
    failure(
        StatusCode::BAD_REQUEST,
        "The request is not HTTP, or its body is not JSON.",
        "the body is not JSON from line 1, column 9",
    ),
    Failure {
        headers: &["www-authenticate"],
        ..failure(
            StatusCode::UNAUTHORIZED,
            "No token, or one that is expired, revoked or forged.",
            "a bearer token is needed",
        )
    },
    failure(StatusCode::FORBIDDEN, "It is not the caller's to change.", "only its author may"),
    failure(
        StatusCode::NOT_FOUND,
        "There is nothing with this id.",
        "there is nothing with this id",
    ),
    Failure {
        headers: &["allow"],
        ..failure(
            StatusCode::METHOD_NOT_ALLOWED,
            "The path is served, but not with this method.",
            "this method is not allowed here; the Allow header lists those that are",
        )
    },
    failure(
        StatusCode::REQUEST_TIMEOUT,
        "The body took too long to arrive.",
        "this takes longer than the 30 seconds a request body may take",
    ),
    failure(StatusCode::CONFLICT, "Somebody has this already.", "this e-mail address is taken"),
    failure(
        StatusCode::PAYLOAD_TOO_LARGE,
        "The body is too large.",
        "the body is larger than the 1048576 bytes allowed here",
    ),
    failure(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "The body does not say that it is JSON.",
        "the content type must be application/json",
    ),
    failure(
        StatusCode::UNPROCESSABLE_ENTITY,
        "A field or parameter can't be used; every bad one is named.",
        "title of the request can't be used",
    ),
    Failure {
        headers: &["retry-after", COUNTED[0], COUNTED[1], COUNTED[2]],
        ..failure(
            StatusCode::TOO_MANY_REQUESTS,
            "More requests than are allowed in this time.",
            "too many requests",
        )
    },
    Failure {
        headers: &["retry-after"],
        ..failure(
            StatusCode::SERVICE_UNAVAILABLE,
            "Something that the answer needs is down or overloaded.",
            "the database is not available",
        )
    },
];

/// Headers of every answer.
const ALWAYS: [&str; 3] = ["x-request-id", "x-trace-id", "server-timing"];

/// Rate-limit headers, on an answer to a caller whose requests are counted.
const COUNTED: [&str; 3] = ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"];

/// All headers that answers refer to: name, description, example.
const HEADERS: [(&str, &str, &str); 9] = [
    ("x-request-id", "The client's own id if it was sane, else a new one.", "order-17"),
    ("x-trace-id", "The trace that this request belongs to.", "4bf92f3577b34da6a3ce929d0e0e4736"),
    ("server-timing", "What the request cost.", "total;dur=1.52, db;dur=0.91;desc=\"1 queries\""),
    ("allow", "The methods that the path is served with.", "POST"),
    ("www-authenticate", "How to authenticate.", "Bearer realm=\"chokepoint\""),
    ("retry-after", "Seconds after which it may be tried again.", "1"),
    (
        "ratelimit-limit",
        "How many requests are allowed in the time window. Like the two that follow, left out where \
         nobody counts: without a token, or with the limit off.",
        "10",
    ),
    ("ratelimit-remaining", "How many of them are left.", "0"),
    (
        "ratelimit-reset",
        "Seconds until the whole number is there again, or with `retry-after` the same.",
        "6",
    ),
];

/// Adds shared responses and headers, for operations to refer to.
pub fn describe(components: &mut Components) {
    for failure in &FAILURES {
        components.responses.insert(name(failure.status), response(failure).into());
    }
    for (name, about, example) in HEADERS {
        components.headers.insert(name.to_owned(), header(about, example).into());
    }
}

/// Adds the failures that the operation's shape implies, and the headers that every answer has.
pub fn add_shared(path: &str, operation: &mut Operation) {
    let is_limited = is_limited(path, operation);
    for status in implied(path, operation) {
        let shared = || RefOr::Ref(Ref::from_response_name(name(status)));
        operation.responses.responses.entry(status.as_str().to_owned()).or_insert_with(shared);
    }
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(described) = response else { continue };
        match FAILURES.iter().find(|failure| failure.status.as_str() == status) {
            Some(failure) => {
                let mut shared = Ref::from_response_name(name(failure.status));
                shared.description = std::mem::take(&mut described.description);
                *response = shared.into();
            }
            None => {
                described.headers.extend(references(&ALWAYS));
                if is_limited {
                    described.headers.extend(references(&COUNTED));
                }
            }
        }
    }
}

fn implied(path: &str, operation: &Operation) -> Vec<StatusCode> {
    let has = |place: ParameterIn, named: Option<&str>| {
        operation.parameters.iter().flatten().any(|parameter| match parameter {
            RefOr::T(Parameter { parameter_in, name, .. }) => {
                *parameter_in == place && named.is_none_or(|named| name == named)
            }
            RefOr::Ref(_) => false,
        })
    };
    let needs_token = operation.security.as_ref().is_some_and(|needed| !needed.is_empty());
    let mut implied = vec![StatusCode::BAD_REQUEST];
    if operation.request_body.is_some() {
        implied.extend([
            StatusCode::REQUEST_TIMEOUT,
            StatusCode::PAYLOAD_TOO_LARGE,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            StatusCode::UNPROCESSABLE_ENTITY,
        ]);
    }
    if has(ParameterIn::Path, Some("id")) {
        implied.push(StatusCode::NOT_FOUND);
    }
    if has(ParameterIn::Query, None) {
        implied.push(StatusCode::UNPROCESSABLE_ENTITY);
    }
    if needs_token {
        implied.push(StatusCode::UNAUTHORIZED);
    }
    if needs_the_database(path) {
        implied.push(StatusCode::SERVICE_UNAVAILABLE);
    }
    if is_limited(path, operation) {
        implied.push(StatusCode::TOO_MANY_REQUESTS);
    }
    implied
}

fn needs_the_database(path: &str) -> bool {
    path.starts_with("/api/") && path != super::routes::PATH
}

/// True if the operation has a rate limit. One outside the API itself, such as a lab, has none.
fn is_limited(path: &str, operation: &Operation) -> bool {
    let is_ours = |tag: &String| super::TAGS.iter().any(|(ours, _)| ours == tag);
    needs_the_database(path) && operation.tags.iter().flatten().any(is_ours)
}

/// Name of the status as a component: `NotFound`.
fn name(status: StatusCode) -> String {
    status.canonical_reason().unwrap_or_default().replace(' ', "")
}

fn response(failure: &Failure) -> Response {
    let mut response =
        ResponseBuilder::new().description(failure.when).content(PROBLEM, problem(failure)).build();
    response.headers.extend(references(&ALWAYS));
    response.headers.extend(references(failure.headers));
    response
}

fn problem(failure: &Failure) -> Content {
    let mut example = json!({
        "type": "about:blank",
        "title": failure.status.canonical_reason(),
        "status": failure.status.as_u16(),
        "detail": failure.detail,
        "request_id": HEADERS[0].2,
        "trace_id": HEADERS[1].2,
    });
    if failure.status == StatusCode::UNPROCESSABLE_ENTITY {
        example["errors"] =
            json!([{"field": "title", "message": "1 to 200 characters are needed"}]);
    }
    let schema = Ref::from_schema_name("Problem");
    ContentBuilder::new().schema(Some(schema)).example(Some(example)).build()
}

fn references(names: &[&str]) -> Vec<(String, RefOr<Header>)> {
    let reference = |name| RefOr::Ref(Ref::new(format!("#/components/headers/{name}")));
    names.iter().map(|name| ((*name).to_owned(), reference(name))).collect()
}

fn header(about: &str, example: &str) -> Header {
    HeaderBuilder::new()
        .schema(Some(Object::with_type(Type::String)))
        .description(Some(about))
        .example(Some(Value::from(example)))
        .build()
}
