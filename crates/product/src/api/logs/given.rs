//! A line as it stands in a body: the unparsed text of each member. This text is stored, so no
//! parser can change a number or an escape.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

/// Members of a line. If one is given twice the last one counts, as in most parsers.
#[derive(Default)]
pub struct Given<'a> {
    /// False if something else, such as a number, stands where a line should be.
    pub is_object: bool,
    pub device_id: Option<&'a RawValue>,
    pub log_level: Option<&'a RawValue>,
    pub message: Option<&'a RawValue>,
    pub log_data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Member {
    DeviceId,
    LogLevel,
    Message,
    LogData,
    #[serde(other)]
    Other,
}

/// Text of a required member. Errors if the member is missing or not text.
pub fn text(given: Option<&RawValue>) -> Result<Cow<'_, str>, String> {
    let json = given.map(RawValue::get).filter(|json| *json != "null");
    let json = json.ok_or("this field is needed")?;
    let inner = json.strip_prefix('"').and_then(|json| json.strip_suffix('"'));
    match inner.ok_or("text is needed")? {
        // The form of the body is checked, so this doesn't fail.
        inner if inner.contains('\\') => {
            serde_json::from_str(json).map(Cow::Owned).map_err(|_| "text is needed".to_owned())
        }
        inner => Ok(Cow::Borrowed(inner)),
    }
}

/// Object of at most `max_bytes`, as it was sent; None for null.
pub fn object(given: &RawValue, max_bytes: usize) -> Result<Option<&str>, String> {
    match given.get() {
        "null" => Ok(None),
        json if !json.starts_with('{') => Err("an object is needed".to_owned()),
        json if has_nul(json) => Err("a NUL character is not allowed".to_owned()),
        json if json.len() > max_bytes => {
            Err(format!("at most {max_bytes} bytes of JSON are allowed"))
        }
        json => Ok(Some(json)),
    }
}

/// True if a text or name of well-formed JSON has NUL, which can only be an escape there.
fn has_nul(json: &str) -> bool {
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        if rest[at..].starts_with("\\u0000") {
            return true;
        }
        // Past the character that is escaped, which may be a backslash itself.
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    false
}

impl<'de: 'a, 'a> Deserialize<'de> for Given<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self::default())
    }
}

impl<'de: 'a, 'a> Visitor<'de> for Given<'a> {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a line")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<Self, A::Error> {
        self.is_object = true;
        while let Some(member) = members.next_key()? {
            let json = Some(members.next_value()?);
            match member {
                Member::DeviceId => self.device_id = json,
                Member::LogLevel => self.log_level = json,
                Member::Message => self.message = json,
                Member::LogData => self.log_data = json,
                Member::Other => {}
            }
        }
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self, A::Error> {
        IgnoredAny.visit_seq(items).map(|_| self)
    }

    fn visit_unit<E: Error>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }
}
