//! Attributes, names and events as bytes, in the order of recording.

use std::time::SystemTime;

use opentelemetry::{Array, Value};

use super::{QUERY_TEXT, nanos, tag};

/// Packed event under construction.
pub struct PackedEvent {
    pub(super) items: Items,
    pub(super) failure: Option<Failure>,
}

/// Failure of the span, reported by an event.
pub(super) enum Failure {
    By(String),
    /// Failure without a text, unless another event has one.
    Somehow,
}

/// Packed items, one after another.
pub struct Items {
    pub(super) bytes: Vec<u8>,
    /// Bits added to the tags of attributes.
    pub(super) of: u8,
    pub(super) is_query: bool,
}

impl PackedEvent {
    pub fn new(name: &str, at: SystemTime) -> Self {
        let mut items = Items { bytes: Vec::new(), of: tag::OF_EVENT, is_query: false };
        items.push(tag::EVENT);
        items.bytes.extend_from_slice(&nanos(at).to_le_bytes());
        items.text(name);
        Self { items, failure: None }
    }

    pub fn attributes(&mut self) -> &mut Items {
        &mut self.items
    }

    pub fn fails_by(&mut self, error: String) {
        self.failure = Some(Failure::By(error));
    }

    pub fn fails(&mut self) {
        self.failure = Some(Failure::Somehow);
    }
}

impl Items {
    pub fn bool(&mut self, key: &str, value: bool) {
        self.key(tag::BOOL, key);
        self.push(u8::from(value));
    }

    pub fn int(&mut self, key: &str, value: i64) {
        self.key(tag::INT, key);
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub fn float(&mut self, key: &str, value: f64) {
        self.key(tag::FLOAT, key);
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub fn str(&mut self, key: &str, value: &str) {
        self.is_query |= key == QUERY_TEXT;
        self.key(tag::TEXT, key);
        self.text(value);
    }

    pub(super) fn value(&mut self, key: &str, value: &Value) {
        match value {
            Value::Bool(value) => self.bool(key, *value),
            Value::I64(value) => self.int(key, *value),
            Value::F64(value) => self.float(key, *value),
            Value::String(value) => self.str(key, value.as_str()),
            Value::Array(Array::String(values)) => {
                self.key(tag::TEXTS, key);
                self.length(values.len());
                values.iter().for_each(|value| self.text(value.as_str()));
            }
            // Our spans have no other types.
            other => self.str(key, &other.as_str()),
        }
    }

    pub(super) fn push(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    fn key(&mut self, tag: u8, key: &str) {
        self.push(tag | self.of);
        self.text(key);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.length(text.len());
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn length(&mut self, length: usize) {
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        self.bytes.extend_from_slice(&length.to_le_bytes());
    }
}
