//! Parser of a moment, typed by a person or filled in by a program.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Least number that means milliseconds: as seconds it would be in the year 5138.
const MILLIS_FROM: f64 = 1e11;

/// Largest moment in milliseconds: no clock shows more, and it fits a `Duration`.
const MAX_EPOCH_MILLIS: f64 = 1e15;

/// Parses RFC 3339, or seconds or milliseconds since 1970.
pub fn moment(text: &str) -> Option<SystemTime> {
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
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_moment_may_be_written_in_three_ways() {
        let all = [
            "2026-01-31T12:00:00.5Z",
            "2026-01-31T13:00:00.5+01:00",
            "1769860800.5",
            "1769860800500",
        ];
        let moments: BTreeSet<_> = all.map(moment).into_iter().collect();
        assert_eq!(
            moments,
            BTreeSet::from([Some(UNIX_EPOCH + Duration::from_millis(1_769_860_800_500))])
        );
        for bad in ["", "now-5m", "-1", "NaN", "inf", "1e300", "2026-01-31", "1900-01-01T00:00:00Z"]
        {
            assert_eq!(moment(bad), None, "{bad}");
        }
    }
}
