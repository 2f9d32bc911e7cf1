//! Reads what clients send. A good body is read in one pass that copies nothing; one that is not
//! plainly good is read again as a tree, which is slow and finds everything that is bad.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use super::{bodies::LogIn, lines::Lines};
use crate::{
    entity::log_lines::Level,
    error::{Error, FieldError},
    input::{Fields, malformed},
};

/// A larger body is refused unread.
pub const MAX_BYTES: usize = 1024 * 1024;

/// Lines of one batch: as many as one group commit takes by default.
pub const MAX_LINES: usize = 1_000;

const MAX_DEVICE: usize = 100;
const MAX_MESSAGE: usize = 10_000;

/// Bytes of a line's `log_data` as JSON: some dozens of readings.
const MAX_DATA: usize = 16 * 1024;

/// Brackets that data may open to be plainly good: fewer than any parser's limit of depth.
const FEW_BRACKETS: usize = 32;

/// Digits in a row that a number may have to be plainly one that a double holds, with two more of
/// exponent.
const FEW_DIGITS: usize = 200;

/// A line as it lies in the body.
#[derive(Deserialize)]
struct Plain<'a> {
    #[serde(borrow)]
    device_id: Cow<'a, str>,
    #[serde(borrow)]
    log_level: Cow<'a, str>,
    #[serde(borrow)]
    message: Cow<'a, str>,
    #[serde(borrow)]
    log_data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct PlainBatch<'a> {
    #[serde(borrow)]
    logs: Vec<Plain<'a>>,
}

impl Plain<'_> {
    /// False if it is not plainly good.
    fn push_to(&self, lines: &mut Lines) -> bool {
        let data = self.log_data.map(RawValue::get);
        let (Some(level), true, true, true) = (
            Level::named(&self.log_level),
            is_device(&self.device_id),
            message_problem(&self.message).is_none(),
            data.is_none_or(is_plain_object),
        ) else {
            return false;
        };
        lines.push(&self.device_id, level, &self.message, data);
        true
    }
}

/// The line of a body.
pub fn one(body: &[u8]) -> Result<Lines, Error> {
    let mut lines = Lines::default();
    if serde_json::from_slice(body).is_ok_and(|line: Plain<'_>| line.push_to(&mut lines)) {
        return Ok(lines);
    }
    let value = serde_json::from_slice(body).map_err(|e| malformed(&e))?;
    let line = read(value)?;
    line.push_to(&mut lines);
    Ok(lines)
}

/// The lines of a body: an array, or an object that has them under `logs`.
pub fn batch(body: &[u8]) -> Result<Lines, Error> {
    let is_array = body.trim_ascii_start().starts_with(b"[");
    let plain = if is_array {
        serde_json::from_slice(body).ok()
    } else {
        serde_json::from_slice(body).ok().map(|batch: PlainBatch<'_>| batch.logs)
    };
    let mut lines = Lines::default();
    if let Some(plain) = plain
        && (1..=MAX_LINES).contains(&plain.len())
        && plain.iter().all(|line| line.push_to(&mut lines))
    {
        return Ok(lines);
    }
    every_line(serde_json::from_slice(body).map_err(|e| malformed(&e))?)
}

/// The same, the thorough way.
fn every_line(body: Value) -> Result<Lines, Error> {
    let bad = |field: &'static str, message: String| {
        Err(Error::Invalid(vec![FieldError::new(field, message)]))
    };
    let given = match body {
        Value::Array(given) => given,
        Value::Object(mut object) => match object.remove("logs") {
            Some(Value::Array(given)) => given,
            _ => return bad("logs", "an array of lines is needed".to_owned()),
        },
        _ => return bad("body", "an array of lines, or an object with logs, is needed".to_owned()),
    };
    if !(1..=MAX_LINES).contains(&given.len()) {
        return bad("logs", format!("1 to {MAX_LINES} lines are needed"));
    }
    let mut lines = Lines::default();
    let mut errors = Vec::new();
    for (index, line) in given.into_iter().enumerate() {
        match read(line) {
            Ok(line) => line.push_to(&mut lines),
            Err(Error::Invalid(of_line)) => errors.extend(of_line.into_iter().map(|error| {
                // What is wrong with a line as a whole is told of the line.
                let field = match error.field.as_ref() {
                    "body" => format!("logs[{index}]"),
                    field => format!("logs[{index}].{field}"),
                };
                FieldError::new(field, error.message)
            })),
            Err(other) => return Err(other),
        }
    }
    if errors.is_empty() { Ok(lines) } else { Err(Error::Invalid(errors)) }
}

fn read(line: Value) -> Result<LogIn, Error> {
    let mut fields = Fields::of(line)?;
    let line = LogIn {
        device_id: fields.parsed("device_id", |text| match is_device(&text) {
            true => Ok(text),
            false => Err(format!("1 to {MAX_DEVICE} characters A-Z a-z 0-9 . _ : - are needed, the first a letter, digit or _; not batch")),
        }),
        log_level: fields.parsed("log_level", |text| match Level::named(&text) {
            Some(level) => Ok(Some(level)),
            None => Err("one of DEBUG, INFO, WARNING, ERROR, CRITICAL is needed".to_owned()),
        }),
        message: fields.parsed("message", |text| match message_problem(&text) {
            Some(problem) => Err(problem),
            None => Ok(text),
        }),
        log_data: fields.optional_object("log_data", MAX_DATA),
    };
    fields.finish()?;
    Ok(line)
}

/// Whether a device can have this name: it stands in URLs without being escaped, where `..` and
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
    // No text has more characters than bytes, and counting takes time.
    let fits =
        !text.is_empty() && (text.len() <= MAX_MESSAGE || text.chars().count() <= MAX_MESSAGE);
    (!fits).then(|| format!("1 to {MAX_MESSAGE} characters are needed"))
}

/// Whether data is an object without what needs a closer look: escapes, which may hide a NUL or
/// half a character, depth, and numbers that may be too large.
fn is_plain_object(data: &str) -> bool {
    data.starts_with('{')
        && data.len() <= MAX_DATA
        && !data.contains("\\u")
        && data.bytes().filter(|byte| matches!(byte, b'{' | b'[')).count() <= FEW_BRACKETS
        && !may_overflow(data.as_bytes())
}

/// Whether something in it may be a number beyond those of a double: three digits of exponent that is
/// not negative, or very many digits. In texts they are harmless, and the closer look says so.
fn may_overflow(data: &[u8]) -> bool {
    let mut digits = 0;
    for (at, byte) in data.iter().enumerate() {
        match byte {
            b'0'..=b'9' => digits += 1,
            b'e' | b'E' if digits > 0 => {
                let exponent = &data[at + 1..];
                let exponent = exponent.strip_prefix(b"+").unwrap_or(exponent);
                if exponent.iter().take(3).filter(|byte| byte.is_ascii_digit()).count() == 3 {
                    return true;
                }
                digits = 0;
            }
            _ => digits = 0,
        }
        if digits > FEW_DIGITS {
            return true;
        }
    }
    false
}
