//! Placeholders in the texts of a request: `{n}` and `{user}`. Any other is an error, as it would
//! be sent as it is.

use serde_json::Value;

/// Values of one request.
#[derive(Debug, Clone, Copy)]
pub struct Values {
    /// Number of the request, which no other request has.
    pub n: u64,
    /// Number of the virtual user, from 1 on.
    pub user: u32,
}

impl Values {
    fn named(self) -> [(&'static str, u64); 2] {
        [("{n}", self.n), ("{user}", u64::from(self.user))]
    }
}

/// The text with its placeholders replaced.
pub fn text(template: &str, values: Values) -> String {
    let fill = |text: String, (name, value): (&str, u64)| text.replace(name, &value.to_string());
    values.named().into_iter().fold(template.to_owned(), fill)
}

/// The JSON with the placeholders of its texts replaced. A text that is nothing but a placeholder
/// becomes a number.
pub fn json(template: &Value, values: Values) -> Value {
    match template {
        Value::String(template) => {
            let number = values.named().into_iter().find(|(name, _)| name == template);
            number.map_or_else(|| text(template, values).into(), |(_, value)| value.into())
        }
        Value::Array(items) => items.iter().map(|item| json(item, values)).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), json(value, values))).collect()
        }
        other => other.clone(),
    }
}

/// Refuses a placeholder that nobody replaces.
pub fn check(template: &str) -> Result<(), String> {
    let is_word =
        |word: &&str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let named = template.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
    let unknown = named.map(|(word, _)| word).filter(is_word).find(|w| !["n", "user"].contains(w));
    match unknown {
        Some(word) => Err(format!("there is no {{{word}}}; {{n}} and {{user}} are replaced")),
        None => Ok(()),
    }
}

pub fn check_json(template: &Value) -> Result<(), String> {
    match template {
        Value::String(template) => check(template),
        Value::Array(items) => items.iter().try_for_each(check_json),
        Value::Object(fields) => fields.iter().try_for_each(|(name, value)| {
            check_json(value).map_err(|reason| format!("{name}: {reason}"))
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn placeholders_are_replaced_at_any_depth() {
        let template = json!({ "name": "guest-{n}-of-{user}", "{n}": ["{n}", "{user}", 1, "{}"] });
        let filled = json(&template, Values { n: 7, user: 2 });
        assert_eq!(filled, json!({ "name": "guest-7-of-2", "{n}": [7, 2, 1, "{}"] }));
        assert_eq!(check_json(&template), Ok(()));
    }

    #[test]
    fn an_unknown_placeholder_is_refused_with_those_there_are() {
        let error = check_json(&json!({ "a": [{ "b": "x{N} {count}" }] })).unwrap_err();
        assert_eq!(error, "a: b: there is no {count}; {n} and {user} are replaced");
    }
}
