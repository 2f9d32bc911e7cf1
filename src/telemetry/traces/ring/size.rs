//! What a span takes in memory, as near as can be told without asking the allocator.

use std::{borrow::Cow, mem::size_of};

use opentelemetry::{Array, KeyValue, StringValue, Value};
use opentelemetry_sdk::trace::SpanData;

/// The place of one span in a list.
pub const SLOT: usize = size_of::<SpanData>();

/// What a span holds beside its slot. Keys and scopes are text of the program and count nothing; so
/// may values be, but that can't be seen, and they count.
pub fn heap(span: &SpanData) -> usize {
    let name = match &span.name {
        Cow::Owned(name) => allocated(name.capacity()),
        Cow::Borrowed(_) => 0,
    };
    let events = span.events.iter().map(|event| attributes(&event.attributes));
    let links = span.links.iter().map(|link| attributes(&link.attributes));
    name + attributes(&span.attributes)
        + list(&span.events.events)
        + list(&span.links.links)
        + events.chain(links).sum::<usize>()
}

/// What a list holds for its items, full or not.
pub fn list<T>(list: &Vec<T>) -> usize {
    allocated(list.capacity() * size_of::<T>())
}

fn attributes(attributes: &Vec<KeyValue>) -> usize {
    list(attributes) + attributes.iter().map(|attribute| value(&attribute.value)).sum::<usize>()
}

fn value(value: &Value) -> usize {
    match value {
        Value::String(text) => string(text),
        Value::Array(Array::Bool(items)) => list(items),
        Value::Array(Array::I64(items)) => list(items),
        Value::Array(Array::F64(items)) => list(items),
        Value::Array(Array::String(items)) => list(items) + items.iter().map(string).sum::<usize>(),
        _ => 0,
    }
}

fn string(text: &StringValue) -> usize {
    allocated(text.as_str().len())
}

/// Allocators round up: jemalloc to four sizes for each power of two, and never less than 16 bytes.
pub fn allocated(bytes: usize) -> usize {
    bytes.next_multiple_of((bytes.next_power_of_two() / 8).max(16))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_that_an_allocator_hands_out() {
        let asked = [0, 1, 16, 17, 129, 160, 161, 1_025];
        assert_eq!(asked.map(allocated), [0, 16, 16, 32, 160, 160, 192, 1_280]);
    }
}
