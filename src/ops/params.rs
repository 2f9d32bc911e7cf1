//! Query parameters, read so that the answer to a bad request names every bad one.

use std::{collections::HashMap, fmt::Display, ops::RangeInclusive, time::SystemTime};

use crate::error::{Error, FieldError};

pub struct Params {
    given: HashMap<String, String>,
    errors: Vec<FieldError>,
}

impl Params {
    pub fn new(given: HashMap<String, String>) -> Self {
        Self { given, errors: Vec::new() }
    }

    fn refuse(&mut self, field: &'static str, message: String) {
        self.errors.push(FieldError { field, message });
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

    /// A moment as RFC 3339 has it.
    pub fn moment(&mut self, field: &'static str) -> Option<SystemTime> {
        let moment = humantime::parse_rfc3339(self.given.get(field)?);
        if moment.is_err() {
            let example = "2026-01-31T12:00:00.5Z";
            self.refuse(field, format!("a time as RFC 3339 has it is needed, such as {example}"));
        }
        moment.ok()
    }

    pub fn finish(self) -> Result<(), Error> {
        if self.errors.is_empty() { Ok(()) } else { Err(Error::Invalid(self.errors)) }
    }
}

fn list<T>(choices: &[(impl Display, T)]) -> String {
    choices.iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>().join(", ")
}
