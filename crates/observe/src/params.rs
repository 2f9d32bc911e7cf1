//! Query parameters, read so that the answer to a bad request names every invalid one.

use std::{collections::HashMap, fmt::Display, ops::RangeInclusive, time::SystemTime};

use super::moment::moment;
use crate::{
    error::{Error, FieldError},
    labels::{Labels, RouteLabels},
};

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

    /// Text of a parameter as it was sent.
    pub fn text(&self, field: &str) -> Option<String> {
        self.given.get(field).cloned()
    }

    /// Reads a required id, a whole number.
    pub fn id(&mut self, field: &'static str) -> u64 {
        let id = self.given.get(field).and_then(|text| text.parse().ok());
        id.unwrap_or_else(|| {
            self.refuse(field, "a whole number is needed".to_owned());
            0
        })
    }

    /// Reads a required text; `needed` describes a right one in the error message.
    pub fn required_text(
        &mut self,
        field: &'static str,
        needed: &str,
        is_right: impl FnOnce(&str) -> bool,
    ) -> String {
        let text = self.text(field).filter(|text| is_right(text));
        text.unwrap_or_else(|| {
            self.refuse(field, format!("{needed} is needed"));
            String::new()
        })
    }

    /// Reads the id of a row; None if it is left out.
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

    /// Reads one of the choices; None if it is left out.
    pub fn optional_one_of<T: Copy>(
        &mut self,
        field: &'static str,
        choices: &[(&str, T)],
    ) -> Option<T> {
        self.given.contains_key(field).then(|| self.one_of(field, choices, None))?
    }

    /// Reads a value with `parse`; `needed` describes a valid one in the error message.
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

    /// Labels that the query names. A value that no route has is refused, with those that there are.
    pub fn labels(&mut self, all: &RouteLabels) -> Labels {
        let mut read = all.of(None).clone();
        for key in all.keys() {
            let values = all.values_below(key, &read);
            let choices: Vec<_> = values.into_iter().map(|value| (value, value)).collect();
            if let Some(value) = self.optional_one_of(key, &choices) {
                read = all.with(&read, key, value);
            }
        }
        read
    }

    /// Labels that the query names, each only together with those that come before it.
    pub fn whole_labels(&mut self, all: &RouteLabels) -> Labels {
        let missing = all.keys().find(|key| self.text(key).is_none());
        let after = all.keys().skip_while(|key| Some(*key) != missing);
        if let Some(missing) = missing
            && let Some(key) = after.into_iter().find(|key| self.text(key).is_some())
        {
            self.refuse(key, format!("{missing} is missing: add it, or leave {key} out"));
            return Labels::default();
        }
        self.labels(all)
    }

    pub fn finish(self) -> Result<(), Error> {
        if self.errors.is_empty() { Ok(()) } else { Err(Error::Invalid(self.errors)) }
    }
}

fn list<T>(choices: &[(impl Display, T)]) -> String {
    choices.iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labels::LabelledRoute;

    fn labels() -> RouteLabels {
        let route = |route: &str, lab: &str, variant: &str| LabelledRoute {
            route: route.to_owned(),
            values: vec![Some(lab.to_owned()), Some(variant.to_owned())],
            page: Some(format!("/labs/{lab}")),
        };
        let routes =
            [route("/a/1", "a", "slow"), route("/a/2", "a", "fast"), route("/b", "b", "slow")];
        RouteLabels::new(&["lab", "variant"], routes)
    }

    fn params(given: &[(&str, &str)]) -> Params {
        let given = given.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Params::new(given.collect::<HashMap<_, _>>())
    }

    #[test]
    fn routes_are_found_by_the_labels_of_a_query() {
        let labels = labels();
        let routes = |given: &[(&str, &str)]| {
            let mut params = params(given);
            let read = params.labels(&labels);
            params.finish().map(|()| labels.routes(&read))
        };
        assert_eq!(routes(&[]).unwrap(), None);
        assert_eq!(routes(&[("lab", "a")]).unwrap().unwrap(), ["/a/1", "/a/2"]);
        assert_eq!(routes(&[("variant", "slow")]).unwrap().unwrap(), ["/a/1", "/b"]);
        assert_eq!(routes(&[("lab", "a"), ("variant", "fast")]).unwrap().unwrap(), ["/a/2"]);
        assert!(routes(&[("lab", "c")]).is_err());
        assert!(routes(&[("lab", "b"), ("variant", "fast")]).is_err());
    }

    #[test]
    fn a_label_without_those_before_it_is_refused_where_all_are_needed() {
        let mut given = params(&[("variant", "slow")]);
        given.whole_labels(&labels());
        let Err(Error::Invalid(errors)) = given.finish() else { panic!("it is accepted") };
        let missing = FieldError::new("variant", "lab is missing: add it, or leave variant out");
        assert_eq!(errors, [missing]);
    }

    #[test]
    fn a_route_without_labels_has_every_key_without_a_value() {
        let labels = labels();
        let none = serde_json::to_string(labels.of(Some("/c"))).unwrap();
        assert_eq!(none, r#"{"lab":null,"variant":null}"#);
        assert_eq!(labels.page_of(Some("/b")), Some("/labs/b"));
    }
}
