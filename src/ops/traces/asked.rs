//! Which requests the query asks for.

use std::{
    collections::{BTreeSet, HashMap},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::{input::Params, labs::Labs, telemetry::traces::ring::select::Filter};

/// Requests listed if nothing is said, and most.
const LIMIT: u32 = 50;
const MAX_LIMIT: u32 = 1_000;

/// From here on a number means milliseconds: as seconds it would be in the year 5138.
const MILLIS_FROM: f64 = 1e11;

/// No clock shows more; a `Duration` has room for it.
const MAX_EPOCH_MILLIS: f64 = 1e15;

/// A request does not take longer: three years.
const MAX_MIN_MS: f64 = 1e11;

pub struct Asked {
    pub filter: Filter,
    pub limit: usize,
}

impl Asked {
    pub fn read(query: &HashMap<String, String>, params: &mut Params, labs: &Labs) -> Self {
        let min = params.parsed("min_ms", millis, "a number of milliseconds");
        let status = params.parsed("status", status, "a status, such as 404 or 5xx,");
        let from = moment(params, "from");
        let since = moment(params, "since").or(from);
        let to = moment(params, "to");
        let filter = Filter {
            routes: routes(query, params, labs),
            min: min.unwrap_or_default(),
            status,
            since,
            until: moment(params, "until").or(to),
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

/// Every route that is of that lab, that variant and that name, as far as those are given.
fn routes(
    query: &HashMap<String, String>,
    params: &mut Params,
    labs: &Labs,
) -> Option<Vec<String>> {
    let route = query.get("route");
    if !query.contains_key("lab") && !query.contains_key("variant") {
        return route.map(|route| vec![route.clone()]);
    }
    let ids: Vec<_> = labs.all().iter().map(|loaded| (loaded.lab.id, loaded.lab.id)).collect();
    let lab = query.get("lab").and_then(|_| params.one_of("lab", &ids, None));
    let of_lab = labs.all().iter().filter(|loaded| lab.is_none_or(|id| loaded.lab.id == id));
    let all: Vec<_> = of_lab
        .flat_map(|loaded| loaded.evidence.variants().map(|v| (v, loaded.evidence.route(v))))
        .collect();
    let variants: BTreeSet<_> = all.iter().map(|(variant, _)| *variant).collect();
    let variants: Vec<_> = variants.into_iter().map(|variant| (variant, variant)).collect();
    let variant = query.get("variant").and_then(|_| params.one_of("variant", &variants, None));
    let wanted = all.into_iter().filter(|(of, _)| variant.is_none_or(|variant| variant == *of));
    let routes = wanted.map(|(_, path)| path);
    Some(routes.filter(|path| route.is_none_or(|route| route == path)).collect())
}

fn millis(text: &str) -> Option<Duration> {
    let millis: f64 = text.parse().ok()?;
    (0.0..=MAX_MIN_MS).contains(&millis).then(|| Duration::from_secs_f64(millis / 1e3))
}

/// `404`, or `4xx` for all that begin with that digit.
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

/// Of a query parameter.
pub fn moment(params: &mut Params, field: &'static str) -> Option<SystemTime> {
    let needed = "a time as RFC 3339 has it, or seconds or milliseconds since 1970,";
    params.parsed(field, parse_moment, needed)
}

fn parse_moment(text: &str) -> Option<SystemTime> {
    let Ok(number) = text.parse::<f64>() else {
        let moment = chrono::DateTime::parse_from_rfc3339(text).ok()?;
        let since = Duration::from_nanos(u64::try_from(moment.timestamp_nanos_opt()?).ok()?);
        return Some(UNIX_EPOCH + since);
    };
    let millis = if number < MILLIS_FROM { number * 1e3 } else { number };
    (0.0..=MAX_EPOCH_MILLIS)
        .contains(&millis)
        .then(|| UNIX_EPOCH + Duration::from_secs_f64(millis / 1e3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_may_be_written_in_three_ways() {
        let all = [
            "2026-01-31T12:00:00.5Z",
            "2026-01-31T13:00:00.5+01:00",
            "1769860800.5",
            "1769860800500",
        ];
        let moments: BTreeSet<_> = all.map(parse_moment).into_iter().collect();
        assert_eq!(
            moments,
            BTreeSet::from([Some(UNIX_EPOCH + Duration::from_millis(1_769_860_800_500))])
        );
        for bad in ["", "now-5m", "-1", "NaN", "inf", "1e300", "2026-01-31", "1900-01-01T00:00:00Z"]
        {
            assert_eq!(parse_moment(bad), None, "{bad}");
        }
    }

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
