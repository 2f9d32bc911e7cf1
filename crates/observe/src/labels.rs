//! Labels of routes, defined by the observed program, such as a lab and its variant. Traces,
//! profiles and blocked polls carry them and can be filtered by them.

use std::sync::Arc;

use serde::{Serialize, Serializer, ser::SerializeMap};

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

    /// Keys that have a value, each with it.
    pub fn pairs(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().filter_map(|(key, value)| Some((*key, value.as_deref()?)))
    }

    /// Values joined for a title; None if there are none.
    pub fn text(&self) -> Option<String> {
        let values: Vec<_> = self.values().collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// True if every label of `wanted` is one of these.
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

/// Route with labels, and the page about it, if there is one.
pub struct LabelledRoute {
    pub route: String,
    /// Value of each key, if it has one.
    pub values: Vec<Option<String>>,
    pub page: Option<String>,
}

/// All routes that have labels. A program without labels uses the default.
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
            let labels = keys.iter().copied().zip(values);
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

    /// Path of the page about a route, such as the page of its lab.
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

    /// Distinct values of a key, in the order of the routes.
    pub fn values(&self, key: &str) -> Vec<&str> {
        self.values_below(key, &Labels::default())
    }

    /// Values that a key has on routes with these labels.
    pub fn values_below(&self, key: &str, above: &Labels) -> Vec<&str> {
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

    /// The same labels with one more.
    pub fn with(&self, labels: &Labels, key: &str, value: &str) -> Labels {
        let mut labels = if labels.0.is_empty() { self.none.clone() } else { labels.clone() };
        for (name, place) in Arc::make_mut(&mut labels.0) {
            if *name == key {
                *place = Some(value.to_owned());
            }
        }
        labels
    }

    /// Routes that have all wanted labels; None if no label is wanted.
    pub fn routes(&self, wanted: &Labels) -> Option<Vec<String>> {
        if wanted.is_empty() {
            return None;
        }
        let routes = self.routes.iter().filter(|known| known.labels.match_all(wanted));
        Some(routes.map(|known| known.route.clone()).collect())
    }
}
