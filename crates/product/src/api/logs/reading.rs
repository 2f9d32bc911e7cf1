//! Parses request bodies: first checks that a body is JSON, then reads its lines. Data is checked
//! and never rewritten, and every bad field is reported.

use std::{borrow::Cow, collections::BTreeMap};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    given::{Given, object, text},
    lines::Lines,
};
use crate::{
    entity::log_lines::Level,
    error::{Error, FieldError},
    input::well_formed,
};

/// Largest body, in bytes. A larger one is refused unread.
pub const MAX_BYTES: usize = 1024 * 1024;

/// Most lines of one batch: as many as one group commit takes by default.
pub const MAX_LINES: usize = 1_000;

const MAX_DEVICE: usize = 100;

/// Longest message, in characters.
pub const MAX_MESSAGE: usize = 10_000;

/// Largest `log_data` of a line as it was sent, in bytes: some dozens of readings.
const MAX_DATA: usize = 16 * 1024;

/// Parses a body that is one line.
pub fn one(body: &[u8]) -> Result<Lines, Error> {
    let body = well_formed(body)?;
    let mut reading = Reading::default();
    let line = serde_json::from_str(body).unwrap_or_default();
    reading.line(&line, |field| field.into());
    reading.finish()
}

/// Parses a body of many lines: an array, or an object that has them under `logs`.
pub fn batch(body: &[u8]) -> Result<Lines, Error> {
    let body = well_formed(body)?;
    let bad = |field: &'static str, message: String| {
        Err(Error::Invalid(vec![FieldError::new(field, message)]))
    };
    let lines = match body.trim_start().as_bytes() {
        [b'[', ..] => serde_json::from_str(body).ok(),
        [b'{', ..] => logs(body),
        _ => return bad("body", "an array of lines, or an object with logs, is needed".to_owned()),
    };
    let Some(lines) = lines else {
        return bad("logs", "an array of lines is needed".to_owned());
    };
    if !(1..=MAX_LINES).contains(&lines.len()) {
        return bad("logs", format!("1 to {MAX_LINES} lines are needed"));
    }
    let mut reading = Reading::default();
    for (index, line) in lines.iter().enumerate() {
        reading.line(line, |field| match field {
            // A problem of the whole line is reported under the line itself.
            "body" => format!("logs[{index}]").into(),
            field => format!("logs[{index}].{field}").into(),
        });
    }
    reading.finish()
}

#[derive(Deserialize)]
struct Logs<'a> {
    #[serde(borrow)]
    logs: Vec<Given<'a>>,
}

fn logs(body: &str) -> Option<Vec<Given<'_>>> {
    if let Ok(Logs { logs }) = serde_json::from_str(body) {
        return Some(logs);
    }
    // `logs` may be given twice, which a struct does not accept.
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(body).ok()?;
    serde_json::from_str(members.get("logs")?.get()).ok()
}

/// Lines that are good so far, and the errors.
#[derive(Default)]
struct Reading {
    lines: Lines,
    errors: Vec<FieldError>,
}

impl Reading {
    /// Reads a line. `named` maps a field's name to the one in the answer.
    fn line(&mut self, line: &Given<'_>, named: impl Fn(&'static str) -> Cow<'static, str>) {
        if !line.is_object {
            self.errors.push(FieldError::new(named("body"), "a JSON object is needed"));
            return;
        }
        let device = text(line.device_id).and_then(|text| match is_device(&text) {
            true => Ok(text),
            false => Err(format!("1 to {MAX_DEVICE} characters A-Z a-z 0-9 . _ : - are needed, the first a letter, digit or _; not batch")),
        });
        let level = text(line.log_level).and_then(|text| {
            let needed = "one of DEBUG, INFO, WARNING, ERROR, CRITICAL is needed";
            Level::named(&text).ok_or_else(|| needed.to_owned())
        });
        let message = text(line.message).and_then(|text| match message_problem(&text) {
            Some(problem) => Err(problem),
            None => Ok(text),
        });
        let data = line.log_data.map_or(Ok(None), |data| object(data, MAX_DATA));
        match (device, level, message, data) {
            (Ok(device), Ok(level), Ok(message), Ok(data)) => {
                self.lines.push(&device, level, &message, data);
            }
            (device, level, message, data) => {
                let bad = [
                    ("device_id", device.err()),
                    ("log_level", level.err()),
                    ("message", message.err()),
                    ("log_data", data.err()),
                ];
                let bad = bad.into_iter().filter_map(|(field, problem)| Some((field, problem?)));
                self.errors.extend(bad.map(|(field, why)| FieldError::new(named(field), why)));
            }
        }
    }

    fn finish(self) -> Result<Lines, Error> {
        if self.errors.is_empty() { Ok(self.lines) } else { Err(Error::Invalid(self.errors)) }
    }
}

/// True if a device can have this name. It stands in URLs without being escaped, where `..` and
/// `batch` mean something else.
pub fn is_device(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte);
    let begins_well = text.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_');
    text.len() <= MAX_DEVICE && begins_well && text.bytes().all(allowed) && text != "batch"
}

fn message_problem(text: &str) -> Option<String> {
    if text.contains('\0') {
        return Some("a NUL character is not allowed".to_owned());
    }
    // A text never has more characters than bytes, and counting takes time.
    let fits =
        !text.is_empty() && (text.len() <= MAX_MESSAGE || text.chars().count() <= MAX_MESSAGE);
    (!fits).then(|| format!("1 to {MAX_MESSAGE} characters are needed"))
}
