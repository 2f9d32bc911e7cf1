//! Query parameters, read so that the answer to a bad request names every bad one.

use std::{collections::HashMap, fmt::Display, ops::RangeInclusive, time::SystemTime};

use super::moment::moment;
use crate::error::{Error, FieldError};

pub struct Params {
    given: HashMap<String, String>,
    errors: Vec<FieldError>,
}

impl Params {
    pub fn new(given: HashMap<String, String>) -> Self {
        Self { given, errors: Vec::new() }
    }

    pub fn refuse(&mut self, field: &'static str, message: String) {
        self.errors.push(FieldError::new(field, message));
    }

    pub fn number(&mut self, field: &'static str, range: RangeInclusive<u32>, default: u32) -> u32 {
        let Some(text) = self.given.get(field) else { return default };
        match text.parse() {
            Ok(number) if range.contains(&number) => number,
            _ => {
                let (start, end) = range.into_inner();
                self.refuse(field, format!("a whole number from {start} to {end} is needed"));
                default
            }
        }
    }

    /// As it was given.
    pub fn text(&self, field: &str) -> Option<String> {
        self.given.get(field).cloned()
    }

    /// The number of something, which must be there.
    pub fn id(&mut self, field: &'static str) -> u64 {
        let id = self.given.get(field).and_then(|text| text.parse().ok());
        id.unwrap_or_else(|| {
            self.refuse(field, "a whole number is needed".to_owned());
            0
        })
    }

    /// The id of a row; None if it is left out.
    pub fn optional_id(&mut self, field: &'static str) -> Option<i64> {
        let id = |text: &str| text.parse().ok().filter(|id| *id > 0);
        self.parsed(field, id, "a whole number from 1 to 9223372036854775807")
    }

    pub fn one_of<T: Copy>(
        &mut self,
        field: &'static str,
        choices: &[(&str, T)],
        default: Option<T>,
    ) -> Option<T> {
        let found = self.given.get(field).map(|text| choices.iter().find(|(name, _)| name == text));
        match found {
            Some(Some((_, choice))) => Some(*choice),
            None if default.is_some() => default,
            _ => {
                self.refuse(field, format!("one of {} is needed", list(choices)));
                default
            }
        }
    }

    /// One of these; None if it is left out.
    pub fn optional_one_of<T: Copy>(
        &mut self,
        field: &'static str,
        choices: &[(&str, T)],
    ) -> Option<T> {
        self.given.contains_key(field).then(|| self.one_of(field, choices, None))?
    }

    /// Whatever `parse` makes of it; `needed` says what that is.
    pub fn parsed<T>(
        &mut self,
        field: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
        needed: &str,
    ) -> Option<T> {
        let parsed = parse(self.given.get(field)?);
        if parsed.is_none() {
            self.refuse(field, format!("{needed} is needed"));
        }
        parsed
    }

    pub fn moment(&mut self, field: &'static str) -> Option<SystemTime> {
        let needed = "a time as RFC 3339 has it, or seconds or milliseconds since 1970,";
        self.parsed(field, moment, needed)
    }

    pub fn finish(self) -> Result<(), Error> {
        if self.errors.is_empty() { Ok(()) } else { Err(Error::Invalid(self.errors)) }
    }
}

fn list<T>(choices: &[(impl Display, T)]) -> String {
    choices.iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>().join(", ")
}
