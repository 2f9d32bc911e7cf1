//! Reads the fields of a JSON object. Errors are collected, so that all of them are reported.

use std::{borrow::Cow, ops::RangeInclusive};

use serde_json::{Map, Value};

use crate::error::{Error, FieldError};

pub struct Fields {
    given: Map<String, Value>,
    errors: Vec<FieldError>,
}

impl Fields {
    /// Errors if the value is not an object.
    pub fn of(value: Value) -> Result<Self, Error> {
        match value {
            Value::Object(given) => Ok(Self { given, errors: Vec::new() }),
            _ => Err(Error::Invalid(vec![FieldError::new("body", "a JSON object is needed")])),
        }
    }

    pub fn refuse(&mut self, field: impl Into<Cow<'static, str>>, message: impl Into<String>) {
        self.errors.push(FieldError::new(field, message));
    }

    /// Required text of a length in characters.
    pub fn text(&mut self, field: &'static str, length: RangeInclusive<usize>) -> String {
        if matches!(self.given.get(field), None | Some(Value::Null)) {
            self.refuse(field, "this field is needed");
            return String::new();
        }
        self.optional_text(field, length).flatten().unwrap_or_default()
    }

    /// Refuses text of spaces. Text that is empty was refused for its length.
    pub fn refuse_blank(&mut self, field: &'static str, text: &str) {
        if !text.is_empty() && text.trim().is_empty() {
            self.refuse(field, "something other than spaces is needed");
        }
    }

    /// Required text that is not blank.
    pub fn words(&mut self, field: &'static str, length: RangeInclusive<usize>) -> String {
        let text = self.text(field, length);
        self.refuse_blank(field, &text);
        text
    }

    /// Optional text: None if it is left out, `Some(None)` if it is null.
    pub fn optional_text(
        &mut self,
        field: &'static str,
        length: RangeInclusive<usize>,
    ) -> Option<Option<String>> {
        let text = match self.given.remove(field)? {
            Value::Null => return Some(None),
            Value::String(text) => text,
            _ => {
                self.refuse(field, "text is needed");
                return None;
            }
        };
        let (least, most) = (*length.start(), *length.end());
        // PostgreSQL can't store it, and nobody types it.
        if text.contains('\0') {
            self.refuse(field, "a NUL character is not allowed");
        } else if !length.contains(&text.chars().count()) {
            self.refuse(field, format!("{least} to {most} characters are needed"));
        }
        Some(Some(text))
    }

    /// Required text that `read` parses, or refuses with a message.
    pub fn parsed<T: Default>(
        &mut self,
        field: &'static str,
        read: impl FnOnce(String) -> Result<T, String>,
    ) -> T {
        let errors = self.errors.len();
        let text = self.text(field, 0..=usize::MAX);
        if self.errors.len() > errors {
            return T::default();
        }
        read(text).unwrap_or_else(|message| {
            self.refuse(field, message);
            T::default()
        })
    }

    /// Optional flag: true or false; None if it is left out.
    pub fn optional_flag(&mut self, field: &'static str) -> Option<bool> {
        match self.given.remove(field)? {
            Value::Bool(flag) => Some(flag),
            _ => {
                self.refuse(field, "true or false is needed");
                None
            }
        }
    }

    /// Required list of texts.
    pub fn texts(&mut self, field: &'static str) -> Vec<String> {
        match self.given.remove(field) {
            None | Some(Value::Null) => self.refuse(field, "this field is needed"),
            Some(Value::Array(items)) => {
                let texts = items.iter().map(|item| item.as_str().map(str::to_owned));
                match texts.collect::<Option<_>>() {
                    Some(texts) => return texts,
                    None => self.refuse(field, "a list of texts is needed"),
                }
            }
            Some(_) => self.refuse(field, "a list of texts is needed"),
        }
        Vec::new()
    }

    /// Optional whole number in a range; None if it is left out.
    pub fn optional_number(
        &mut self,
        field: &'static str,
        range: RangeInclusive<u64>,
    ) -> Option<u64> {
        let number = self.given.remove(field)?.as_u64().filter(|number| range.contains(number));
        if number.is_none() {
            let (start, end) = range.into_inner();
            self.refuse(field, format!("a whole number from {start} to {end} is needed"));
        }
        number
    }

    /// Required whole number in a range.
    pub fn number(&mut self, field: &'static str, range: RangeInclusive<u64>) -> u64 {
        if matches!(self.given.get(field), None | Some(Value::Null)) {
            self.refuse(field, "this field is needed");
            return 0;
        }
        self.optional_number(field, range).unwrap_or_default()
    }

    pub fn finish(self) -> Result<(), Error> {
        if self.errors.is_empty() { Ok(()) } else { Err(Error::Invalid(self.errors)) }
    }
}
