//! Growth of metrics: two readings of `/metrics`, in the Prometheus text format, and how much more
//! the later one has.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Failure, NO_REQUEST};
use crate::evidence::{Metric, Per};

/// Samples of one reading.
#[derive(Debug, Default)]
pub struct Samples(Vec<Sample>);

#[derive(Debug, PartialEq)]
struct Sample {
    metric: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

/// Growth of a metric of the evidence.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Grown {
    pub metric: String,
    /// Growth, divided as the evidence says.
    pub by: f64,
}

impl Samples {
    /// Parses a reading.
    ///
    /// # Errors
    /// A line that is neither a comment nor a sample.
    pub fn parse(text: &str) -> Result<Self, String> {
        let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
        let parse = |line| sample(line).ok_or_else(|| format!("no sample of a metric: {line}"));
        Ok(Self(lines.map(parse).collect::<Result<_, _>>()?))
    }

    /// Sum over the series of a metric that have these labels.
    fn sum(&self, metric: &str, labels: &BTreeMap<&str, String>) -> f64 {
        let has = |sample: &&Sample| {
            sample.metric == metric
                && labels.iter().all(|(name, value)| sample.labels.get(*name) == Some(value))
        };
        self.0.iter().filter(has).map(|sample| sample.value).sum()
    }
}

/// Growth of a metric between two readings, while so many requests were sent to a variant.
pub fn of(metric: &Metric, variant: &str, [before, after]: [&Samples; 2], requests: u64) -> Grown {
    let labels = metric.labels_of(variant);
    let of_run = after.sum(&metric.metric, &labels) - before.sum(&metric.metric, &labels);
    let by = match metric.per {
        Per::Run => of_run,
        Per::Request => of_run / requests as f64,
    };
    Grown { metric: metric.to_string(), by }
}

/// Checks that every metric has grown as it should.
pub fn judge(expected: &[Metric], grown: &[Grown], requests: u64) -> Vec<Failure> {
    if requests == 0 && !expected.is_empty() {
        return vec![NO_REQUEST.to_owned()];
    }
    let failure = |(metric, Grown { by, .. }): (&Metric, &Grown)| {
        let range = metric.range();
        (!range.holds(*by)).then(|| format!("{metric} should grow by {range}, grew by {by:.3}"))
    };
    expected.iter().zip(grown).filter_map(failure).collect()
}

/// A line such as `requests_total{route="/",status="200"} 17`, with or without labels.
fn sample(line: &str) -> Option<Sample> {
    let end = line.find(['{', ' '])?;
    let (metric, rest) = line.split_at(end);
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (BTreeMap::new(), rest),
    };
    let value = rest.split_whitespace().next()?.parse().ok()?;
    Some(Sample { metric: metric.to_owned(), labels, value })
}

/// Labels up to the closing brace, and what comes after it.
fn labels(mut rest: &str) -> Option<(BTreeMap<String, String>, &str)> {
    let mut labels = BTreeMap::new();
    loop {
        rest = rest.trim_start_matches([',', ' ']);
        if let Some(after) = rest.strip_prefix('}') {
            return Some((labels, after));
        }
        let (name, quoted) = rest.split_once("=\"")?;
        let (value, after) = unquoted(quoted)?;
        labels.insert(name.to_owned(), value);
        rest = after;
    }
}

/// Text up to the closing quote, and what comes after it.
fn unquoted(quoted: &str) -> Option<(String, &str)> {
    let mut text = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((text, &quoted[at + 1..])),
            '\\' => text.push(match chars.next()?.1 {
                'n' => '\n',
                other => other,
            }),
            _ => text.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const BEFORE: &str = "# HELP tasks_total Tasks.\n# TYPE tasks_total counter\n\
        tasks_total{lab=\"a\",variant=\"slow\",state=\"done\"} 10\n\
        tasks_total{lab=\"a\",variant=\"fast\",state=\"done\"} 3\n\
        \nalive 7\n";
    const AFTER: &str = "tasks_total{lab=\"a\",variant=\"slow\",state=\"done\"} 110\n\
        tasks_total{lab=\"a\",variant=\"slow\",state=\"lost \\\"}\\\\\\n\"} 1e2\n\
        tasks_total{lab=\"a\",variant=\"fast\",state=\"done\"} 4\n\
        alive{} 2 1700000000000\n";

    fn metric(change: serde_json::Value) -> Metric {
        let mut all = json!({ "metric": "tasks_total", "per": "run" });
        for (key, value) in change.as_object().unwrap() {
            all[key] = value.clone();
        }
        serde_json::from_value(all).unwrap()
    }

    fn grown(metric: &Metric, variant: &str) -> f64 {
        let [before, after] = [BEFORE, AFTER].map(|text| Samples::parse(text).unwrap());
        of(metric, variant, [&before, &after], 50).by
    }

    #[test]
    fn growth_is_summed_over_the_series_that_have_the_labels() {
        let of_variant = metric(json!({ "labels": { "variant": "{variant}" }, "min": 200 }));
        assert_eq!(grown(&of_variant, "slow"), 200.0);
        assert_eq!(grown(&of_variant, "fast"), 1.0);
        assert_eq!(grown(&of_variant, "yours"), 0.0);
        assert_eq!(grown(&metric(json!({ "per": "request" })), "slow"), 201.0 / 50.0);
        let lost = metric(json!({ "labels": { "state": "lost \"}\\\n" } }));
        assert_eq!(grown(&lost, "slow"), 100.0);
        // A gauge may have become less.
        assert_eq!(grown(&metric(json!({ "metric": "alive" })), "slow"), -5.0);
    }

    #[test]
    fn growth_outside_its_range_is_a_failure_with_both() {
        let expected = [metric(json!({ "labels": { "variant": "{variant}" }, "max": 5 }))];
        let judged = |variant| {
            let grown = [Grown { metric: String::new(), by: grown(&expected[0], variant) }];
            judge(&expected, &grown, 50).join("; ")
        };
        assert_eq!(judged("fast"), "");
        assert_eq!(
            judged("slow"),
            "tasks_total{variant=\"{variant}\"} in the run should grow by ≤ 5, grew by 200.000"
        );
        assert_eq!(judge(&expected, &[], 0), [NO_REQUEST]);
    }

    #[test]
    fn a_line_that_is_no_sample_is_named() {
        for line in ["a", "a{b=\"c} 1", "a{b=\"c\"} x", "a{b} 1"] {
            assert_eq!(Samples::parse(line).unwrap_err(), format!("no sample of a metric: {line}"));
        }
    }
}
