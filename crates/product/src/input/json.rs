//! Syntax of JSON, checked apart from its meaning: the same for every endpoint, also in members
//! that none of them reads.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};

use crate::error::Error;

/// Text of a body that is JSON from end to end: UTF-8, no half of a surrogate pair, no number
/// beyond those of a double, at most 127 levels. Errors with the position.
pub fn well_formed(body: &[u8]) -> Result<&str, Error> {
    let text = str::from_utf8(body).map_err(|error| {
        let before = &body[..error.valid_up_to()];
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        broken("is not UTF-8 from", line, before.len() - line_start + 1)
    })?;
    serde_json::from_str(text).map(|WellFormed| text).map_err(|error| malformed(&error))
}

/// Error with the position at which the JSON is broken, or exceeds a limit.
pub fn malformed(error: &serde_json::Error) -> Error {
    // Only the parser's words tell them apart.
    let message = error.to_string();
    let what = if message.starts_with("recursion limit exceeded") {
        "is nested deeper than the 127 levels allowed, at"
    } else if message.starts_with("number out of range") {
        "has a number beyond those of a double, at"
    } else {
        "is not JSON from"
    };
    broken(what, error.line(), error.column())
}

fn broken(what: &str, line: usize, column: usize) -> Error {
    Error::Malformed(format!("the body {what} line {line}, column {column}"))
}

/// Any value: the parser reads it in full, and nothing is kept. serde's own `IgnoredAny` will not
/// do: for it the parser skips texts and numbers unchecked.
struct WellFormed;

impl<'de> Deserialize<'de> for WellFormed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for WellFormed {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self, A::Error> {
        while members.next_entry::<Self, Self>()?.is_some() {}
        Ok(self)
    }
}
