//! Labels of routes: what a route belongs to, in the words of the program that is observed, such as a
//! lab and its variant. Traces, profiles and blocked polls carry them and can be filtered by them.

use std::sync::Arc;

use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::params::Params;

/// Keys in order of importance, each with its value, if it has one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels(Arc<[(&'static str, Option<String>)]>);

impl Labels {
    pub fn get(&self, key: &str) -> Option<&str> {
        let label = self.0.iter().find(|(name, _)| *name == key);
        label.and_then(|(_, value)| value.as_deref())
    }

    pub fn is_empty(&self) -> bool {
        self.values().next().is_none()
    }

    /// Values in the order of their keys.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|(_, value)| value.as_deref())
    }

    /// Text for titles; None if there are none.
    pub fn text(&self) -> Option<String> {
        let values: Vec<_> = self.values().collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// Whether every label that `wanted` has is one of these.
    pub fn match_all(&self, wanted: &Self) -> bool {
        let wanted = wanted.0.iter().filter(|(_, value)| value.is_some());
        wanted.into_iter().all(|label| self.0.contains(label))
    }
}

impl Serialize for Labels {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in self.0.iter() {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

/// Route that has labels, and the page that tells more about it, if there is one.
pub struct LabelledRoute {
    pub route: String,
    /// One for each key.
    pub values: Vec<String>,
    pub page: Option<String>,
}

/// All routes that have labels. A program without any uses the default.
#[derive(Default)]
pub struct RouteLabels {
    none: Labels,
    routes: Vec<Known>,
}

struct Known {
    route: String,
    labels: Labels,
    page: Option<String>,
}

impl RouteLabels {
    pub fn new(keys: &[&'static str], routes: impl IntoIterator<Item = LabelledRoute>) -> Self {
        let known = |LabelledRoute { route, values, page }: LabelledRoute| {
            let labels = keys.iter().copied().zip(values.into_iter().map(Some));
            Known { route, labels: Labels(labels.collect()), page }
        };
        Self {
            none: Labels(keys.iter().map(|key| (*key, None)).collect()),
            routes: routes.into_iter().map(known).collect(),
        }
    }

    /// Labels of a route: all keys without values if it has none.
    pub fn of(&self, route: Option<&str>) -> &Labels {
        self.known(route).map_or(&self.none, |known| &known.labels)
    }

    /// Path of the page about what a route belongs to.
    pub fn page_of(&self, route: Option<&str>) -> Option<&str> {
        self.known(route)?.page.as_deref()
    }

    fn known(&self, route: Option<&str>) -> Option<&Known> {
        let route = route?;
        self.routes.iter().find(|known| known.route == route)
    }

    pub fn keys(&self) -> impl Iterator<Item = &'static str> {
        self.none.0.iter().map(|(key, _)| *key)
    }

    /// Values that a key has on some route, each once, in the order of the routes.
    pub fn values(&self, key: &str) -> Vec<&str> {
        self.values_below(key, &Labels::default())
    }

    fn values_below(&self, key: &str, above: &Labels) -> Vec<&str> {
        let mut values = Vec::new();
        for known in self.routes.iter().filter(|known| known.labels.match_all(above)) {
            if let Some(value) = known.labels.get(key)
                && !values.contains(&value)
            {
                values.push(value);
            }
        }
        values
    }

    /// Labels that a query names. A value that no route has is refused, with those that there are.
    pub fn read(&self, params: &mut Params) -> Labels {
        let mut read = self.none.clone();
        for (index, key) in self.keys().enumerate() {
            let choices: Vec<_> =
                self.values_below(key, &read).into_iter().map(|v| (v, v)).collect();
            let value = params.optional_one_of(key, &choices);
            if let Some((_, place)) = Arc::make_mut(&mut read.0).get_mut(index) {
                *place = value.map(str::to_owned);
            }
        }
        read
    }

    /// Labels that a query names, each only below those that come before it.
    pub fn read_whole(&self, params: &mut Params) -> Labels {
        let mut above: Option<&'static str> = None;
        for key in self.keys() {
            if let Some(above) = above
                && params.text(key).is_some()
            {
                params.refuse(key, format!("a {key} of what? {above} is needed too"));
                return self.none.clone();
            }
            if params.text(key).is_none() {
                above = above.or(Some(key));
            }
        }
        self.read(params)
    }

    /// Routes that have all of these labels; None if none is wanted.
    pub fn routes(&self, wanted: &Labels) -> Option<Vec<String>> {
        if wanted.is_empty() {
            return None;
        }
        let routes = self.routes.iter().filter(|known| known.labels.match_all(wanted));
        Some(routes.map(|known| known.route.clone()).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn labels() -> RouteLabels {
        let route = |route: &str, lab: &str, variant: &str| LabelledRoute {
            route: route.to_owned(),
            values: vec![lab.to_owned(), variant.to_owned()],
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
            let read = labels.read(&mut params);
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
    fn a_label_of_nothing_is_refused_where_all_are_needed() {
        let mut given = params(&[("variant", "slow")]);
        labels().read_whole(&mut given);
        assert!(given.finish().is_err());
    }

    #[test]
    fn a_route_without_labels_has_every_key_without_a_value() {
        let labels = labels();
        let none = serde_json::to_string(labels.of(Some("/c"))).unwrap();
        assert_eq!(none, r#"{"lab":null,"variant":null}"#);
        assert_eq!(labels.page_of(Some("/b")), Some("/labs/b"));
    }
}
