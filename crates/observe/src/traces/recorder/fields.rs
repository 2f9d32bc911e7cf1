//! Converts fields of spans and events; for our own the result equals tracing-opentelemetry's.

use std::{
    error::Error,
    fmt::{Debug, Write},
    time::SystemTime,
};

use opentelemetry::trace::{SpanKind, Status};
use tracing::{
    Event, Level,
    field::{Field, Visit},
};

use crate::traces::ring::packed::{Items, Packed, PackedEvent};

/// Prefix of fields that set the name, kind or status of a span.
const SPECIAL: &str = "otel.";

/// Writes a span's fields: as attributes, or as its name, kind or status.
pub struct OfSpan<'a>(pub &'a mut Packed);

impl OfSpan<'_> {
    fn special(&mut self, name: &str, value: &str) {
        let is = |name: &str| value.eq_ignore_ascii_case(name);
        match name {
            "name" => self.0.name(value),
            "kind" if is("server") => self.0.kind(&SpanKind::Server),
            "kind" if is("client") => self.0.kind(&SpanKind::Client),
            "kind" if is("producer") => self.0.kind(&SpanKind::Producer),
            "kind" if is("consumer") => self.0.kind(&SpanKind::Consumer),
            "status_code" if is("ok") => self.0.status(&Status::Ok),
            "status_code" if is("error") => self.0.status(&Status::error("")),
            "status_description" => self.0.status(&Status::error(value.to_owned())),
            _ => {}
        }
    }
}

impl Visit for OfSpan<'_> {
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.attributes().bool(field.name(), value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.attributes().int(field.name(), value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.attributes().float(field.name(), value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name().strip_prefix(SPECIAL) {
            Some(name) => self.special(name, value),
            None => self.0.attributes().str(field.name(), value),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.record_str(field, &format!("{value:?}"));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.record_str(field, &value.to_string());
    }
}

/// Converts an event of a span. An event with an error but no message is an exception, and marks
/// the span as failed.
pub fn event(event: &Event<'_>) -> PackedEvent {
    let mut said = Said::default();
    event.record(&mut said);
    let metadata = event.metadata();
    let is_exception = said.message.is_none() && said.error.is_some();
    let name = if is_exception { "exception" } else { metadata.name() };
    let mut packed = PackedEvent::new(said.message.as_deref().unwrap_or(name), SystemTime::now());
    match said.error {
        Some(error) if is_exception => packed.fails_by(error),
        _ if *metadata.level() == Level::ERROR => packed.fails(),
        _ => {}
    }
    let attributes = packed.attributes();
    attributes.str("level", metadata.level().as_str());
    attributes.str("target", metadata.target());
    event.record(&mut OfEvent { attributes, is_exception });
    packed
}

/// Message and error of an event, which give it its name.
#[derive(Default)]
struct Said {
    message: Option<String>,
    error: Option<String>,
}

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let said = match field.name() {
            "message" => self.message.get_or_insert_default(),
            "error" => self.error.get_or_insert_default(),
            _ => return,
        };
        // Writing to a string does not fail.
        let _ = write!(said, "{value:?}");
    }

    fn record_error(&mut self, _: &Field, _: &(dyn Error + 'static)) {}
}

struct OfEvent<'a> {
    attributes: &'a mut Items,
    is_exception: bool,
}

impl OfEvent<'_> {
    fn exception(&mut self, error: &dyn Debug) {
        self.attributes.str("exception.message", &format!("{error:?}"));
    }
}

impl Visit for OfEvent<'_> {
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.attributes.bool(field.name(), value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.attributes.int(field.name(), value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.attributes.float(field.name(), value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => {}
            "error" if self.is_exception => self.exception(&value),
            name => self.attributes.str(name, value),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "message" => {}
            "error" if self.is_exception => self.exception(value),
            name => self.attributes.str(name, &format!("{value:?}")),
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.attributes.str(field.name(), &value.to_string());
    }
}
