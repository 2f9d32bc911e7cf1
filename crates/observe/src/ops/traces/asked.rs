//! Query parameters of the list of traces.

use std::{collections::HashMap, time::Duration};

use super::select::Filter;
use crate::{labels::RouteLabels, params::Params};

/// Requests listed by default, and at most.
const LIMIT: u32 = 50;
const MAX_LIMIT: u32 = 1_000;

/// Largest `min_ms`: three years, longer than any request.
const MAX_MIN_MS: f64 = 1e11;

pub struct Asked {
    pub filter: Filter,
    pub limit: usize,
}

impl Asked {
    pub fn read(
        query: &HashMap<String, String>,
        params: &mut Params,
        labels: &RouteLabels,
    ) -> Self {
        let min = params.parsed("min_ms", millis, "a number of milliseconds");
        let status = params.parsed("status", status, "a status, such as 404 or 5xx,");
        let from = params.moment("from");
        let since = params.moment("since").or(from);
        let to = params.moment("to");
        let filter = Filter {
            routes: routes(params, labels),
            min: min.unwrap_or_default(),
            status,
            since,
            until: params.moment("until").or(to),
        };
        if let (Some(since), Some(until)) = (filter.since, filter.until)
            && until < since
        {
            let field = if query.contains_key("until") { "until" } else { "to" };
            params.refuse(field, "a moment after the first one is needed".to_owned());
        }
        Self { filter, limit: params.number("limit", 1..=MAX_LIMIT, LIMIT) as usize }
    }
}

/// Routes that have the labels and the name, as far as these are given.
fn routes(params: &mut Params, labels: &RouteLabels) -> Option<Vec<String>> {
    let route = params.text("route");
    let named = params.labels(labels);
    let Some(mut routes) = labels.routes(&named) else { return route.map(|route| vec![route]) };
    routes.retain(|path| route.as_ref().is_none_or(|route| route == path));
    Some(routes)
}

fn millis(text: &str) -> Option<Duration> {
    let millis: f64 = text.parse().ok()?;
    (0.0..=MAX_MIN_MS).contains(&millis).then(|| Duration::from_secs_f64(millis / 1e3))
}

/// Parses `404`, or `4xx` for all statuses that begin with that digit.
fn status(text: &str) -> Option<(u16, u16)> {
    let (least, greatest) = match text.strip_suffix("xx") {
        Some(class) => {
            let class: u16 = class.parse().ok()?;
            (class.checked_mul(100)?, class.checked_mul(100)?.checked_add(99)?)
        }
        None => (text.parse().ok()?, text.parse().ok()?),
    };
    (100..=599).contains(&least).then_some((least, greatest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_may_be_a_class() {
        assert_eq!(
            ["404", "5xx", "100"].map(status),
            [Some((404, 404)), Some((500, 599)), Some((100, 100))]
        );
        for bad in ["", "xx", "99", "600", "6xx", "-1", "5XX", "65535xx", "+5xx0", "4 04"] {
            assert_eq!(status(bad), None, "{bad}");
        }
    }

    #[test]
    fn least_durations_are_milliseconds_in_reason() {
        assert_eq!(millis("0.5"), Some(Duration::from_micros(500)));
        for bad in ["", "-1", "NaN", "inf", "1e300", "5ms"] {
            assert_eq!(millis(bad), None, "{bad}");
        }
    }
}
