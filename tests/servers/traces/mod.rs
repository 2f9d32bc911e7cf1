//! Spans of commands to servers: statements on PostgreSQL, commands to Redis, and the wait for
//! another instance.

use opentelemetry_proto::tonic::{
    common::v1::any_value::Value,
    trace::v1::{Span, status::StatusCode},
};
use reqwest::RequestBuilder;

/// Commands to Redis.
mod commands;
/// The wait for a load of another instance.
mod lock;
/// Statements on PostgreSQL.
mod statements;

/// Makes a request sampled, and returns it with its trace id.
fn traced(request: RequestBuilder) -> (RequestBuilder, String) {
    let id = format!("{:032x}", fastrand::u128(1..));
    (request.header("traceparent", format!("00-{id}-00f067aa0ba902b7-01")), id)
}

/// Spans with this name, in the order in which they ended.
fn named<'a>(spans: &'a [Span], name: &str) -> Vec<&'a Span> {
    spans.iter().filter(|span| span.name == name).collect()
}

/// The only span with this name.
fn one<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    let found = named(spans, name);
    let names: Vec<_> = spans.iter().map(|span| &span.name).collect();
    assert_eq!(found.len(), 1, "{name} in {names:?}");
    found[0]
}

fn value<'a>(span: &'a Span, key: &str) -> Option<&'a Value> {
    let attribute = span.attributes.iter().find(|attribute| attribute.key == key)?;
    attribute.value.as_ref()?.value.as_ref()
}

/// Attribute as text, empty if it is missing.
fn text<'a>(span: &'a Span, key: &str) -> &'a str {
    match value(span, key) {
        Some(Value::StringValue(text)) => text,
        None => "",
        other => panic!("{key} of {} is {other:?}", span.name),
    }
}

fn int(span: &Span, key: &str) -> i64 {
    match value(span, key) {
        Some(Value::IntValue(number)) => *number,
        other => panic!("{key} of {} is {other:?}", span.name),
    }
}

/// Error of a failed span; none if it succeeded.
fn error(span: &Span) -> Option<&str> {
    let status = span.status.as_ref().map_or(StatusCode::Unset, |status| status.code());
    match (status, text(span, "error.type")) {
        (StatusCode::Error, kind) => Some(kind),
        (StatusCode::Unset, "") => None,
        other => panic!("{}: {other:?}", span.name),
    }
}
