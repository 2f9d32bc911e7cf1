//! Parser of packed spans.

use std::time::SystemTime;

use opentelemetry::{
    Array, InstrumentationScope, KeyValue, StringValue, Value,
    trace::{Event, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState},
};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

use super::{KINDS, at, is, moment, tag};

/// View of a packed span. Reading its head costs next to nothing.
#[derive(Clone, Copy)]
pub struct View<'a>(&'a [u8]);

impl<'a> View<'a> {
    /// Returns None if this is no span.
    pub fn of(bytes: &'a [u8]) -> Option<Self> {
        (bytes.len() >= at::ITEMS).then_some(Self(bytes))
    }

    /// Views of spans that are stored one after another.
    pub fn all(mut bytes: &'a [u8]) -> impl Iterator<Item = Self> {
        std::iter::from_fn(move || {
            let length = u32::from_le_bytes(*bytes.first_chunk()?) as usize;
            let (span, rest) = bytes.split_at_checked(length)?;
            bytes = rest;
            Self::of(span)
        })
    }

    pub fn bytes(self) -> &'a [u8] {
        self.0
    }

    pub fn trace(self) -> TraceId {
        TraceId::from_bytes(self.head(at::TRACE))
    }

    pub fn began(self) -> SystemTime {
        moment(u64::from_le_bytes(self.head(at::BEGAN)))
    }

    fn kind(self) -> SpanKind {
        KINDS.get(usize::from(self.0[at::KIND])).cloned().unwrap_or(SpanKind::Internal)
    }

    fn parent(self) -> SpanId {
        SpanId::from_bytes(self.head(at::PARENT))
    }

    fn is(self, what: u8) -> bool {
        self.0[at::IS] & what != 0
    }

    /// True if this process began it by itself or for a client: mostly a request.
    pub fn is_entry(self) -> bool {
        self.is(is::BELOW_REMOTE)
            || self.parent() == SpanId::INVALID
            || self.kind() == SpanKind::Server
    }

    /// True for a statement that was sent to a database.
    pub fn is_query(self) -> bool {
        self.is(is::QUERY)
    }

    /// Bytes of the head, whose length `of` has checked.
    fn head<const N: usize>(self, from: usize) -> [u8; N] {
        self.0[from..].first_chunk().copied().unwrap_or([0; N])
    }

    pub fn ended(self) -> SystemTime {
        moment(u64::from_le_bytes(self.head(at::ENDED)))
    }

    /// Items of the span, in the order in which they were written.
    pub fn items(self) -> impl Iterator<Item = Item<'a>> {
        let mut rest = Rest(&self.0[at::ITEMS..]);
        // The items are our own, and complete.
        std::iter::from_fn(move || rest.item())
    }

    pub fn span(self) -> SpanData {
        let mut span = SpanData {
            span_context: SpanContext::NONE,
            parent_span_id: self.parent(),
            parent_span_is_remote: self.is(is::BELOW_REMOTE),
            span_kind: self.kind(),
            name: "".into(),
            start_time: self.began(),
            end_time: self.ended(),
            attributes: Vec::new(),
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: Status::Unset,
            instrumentation_scope: InstrumentationScope::builder("chokepoint").build(),
        };
        let mut state = TraceState::NONE;
        for item in self.items() {
            match item {
                Item::Name(name) => span.name = name.to_owned().into(),
                Item::State(text) => state = text.parse().unwrap_or_default(),
                Item::Ok => span.status = Status::Ok,
                Item::Error(description) => span.status = Status::error(description.to_owned()),
                Item::Attribute(key, raw) => span.attributes.push(attribute(key, raw)),
                Item::Event(name, at) => {
                    span.events.events.push(Event::new(name.to_owned(), at, Vec::new(), 0));
                }
                Item::EventsDropped(count) => span.events.dropped_count = count,
                Item::OfEvent(key, raw) => {
                    if let Some(event) = span.events.events.last_mut() {
                        event.attributes.push(attribute(key, raw));
                    }
                }
            }
        }
        let flags = TraceFlags::new(self.0[at::FLAGS]);
        let id = SpanId::from_bytes(self.head(at::SPAN));
        span.span_context = SpanContext::new(self.trace(), id, flags, false, state);
        span
    }
}

/// Item of a packed span.
pub enum Item<'a> {
    Name(&'a str),
    /// Header of a trace state.
    State(&'a str),
    Ok,
    Error(&'a str),
    Attribute(&'a str, Raw<'a>),
    Event(&'a str, SystemTime),
    /// Attribute of the last event.
    OfEvent(&'a str, Raw<'a>),
    /// Number of dropped events.
    EventsDropped(u32),
}

/// Value of an attribute.
pub enum Raw<'a> {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(&'a str),
    Texts(Vec<&'a str>),
}

fn attribute(key: &str, raw: Raw<'_>) -> KeyValue {
    let text = |text: &str| StringValue::from(text.to_owned());
    let value = match raw {
        Raw::Bool(value) => Value::Bool(value),
        Raw::Int(value) => Value::I64(value),
        Raw::Float(value) => Value::F64(value),
        Raw::Text(value) => Value::String(text(value)),
        Raw::Texts(values) => Value::Array(Array::String(values.into_iter().map(text).collect())),
    };
    KeyValue::new(key.to_owned(), value)
}

struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn item(&mut self) -> Option<Item<'a>> {
        let [tag] = *self.take()?;
        Some(match tag {
            tag::NAME => Item::Name(self.text()?),
            tag::STATE => Item::State(self.text()?),
            tag::OK => Item::Ok,
            tag::ERROR => Item::Error(self.text()?),
            tag::EVENT => {
                let at = moment(u64::from_le_bytes(*self.take()?));
                Item::Event(self.text()?, at)
            }
            tag::EVENTS_DROPPED => Item::EventsDropped(u32::from_le_bytes(*self.take()?)),
            tag if tag & tag::OF_EVENT != 0 => {
                Item::OfEvent(self.text()?, self.raw(tag & !tag::OF_EVENT)?)
            }
            tag => Item::Attribute(self.text()?, self.raw(tag)?),
        })
    }

    fn raw(&mut self, tag: u8) -> Option<Raw<'a>> {
        Some(match tag {
            tag::BOOL => Raw::Bool(*self.take()? == [1]),
            tag::INT => Raw::Int(i64::from_le_bytes(*self.take()?)),
            tag::FLOAT => Raw::Float(f64::from_le_bytes(*self.take()?)),
            tag::TEXT => Raw::Text(self.text()?),
            tag::TEXTS => {
                let count = self.length()?;
                Raw::Texts((0..count).map_while(|_| self.text()).collect())
            }
            _ => return None,
        })
    }

    fn take<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(taken)
    }

    fn length(&mut self) -> Option<usize> {
        Some(u32::from_le_bytes(*self.take()?) as usize)
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = self.length()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        std::str::from_utf8(text).ok()
    }
}
