//! Thresholds of a gate in k6's syntax: `p(95)<500`, `max<=2`, `rate==1`.

use crate::{
    evidence::{Evidence, Profile},
    lab::LoadedLab,
};
use serde::Serialize;

use super::{
    samples::{Metric, Samples},
    statistics::{mean, percentile, sorted},
};

/// One threshold: a metric, and an expression about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    pub metric: String,
    pub expression: String,
    pub limit: f64,
    aggregation: Aggregation,
    operator: Operator,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Aggregation {
    Mean,
    Min,
    Max,
    Percentile(f64),
    Count,
    Rate,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Operator {
    Less,
    AtMost,
    Greater,
    AtLeast,
    Equal,
    NotEqual,
}

/// Operators by their texts. One that begins another comes after it.
const OPERATORS: [(&str, Operator); 8] = [
    ("<=", Operator::AtMost),
    (">=", Operator::AtLeast),
    ("===", Operator::Equal),
    ("==", Operator::Equal),
    ("!==", Operator::NotEqual),
    ("!=", Operator::NotEqual),
    ("<", Operator::Less),
    (">", Operator::Greater),
];

/// Outcome of one threshold.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judged {
    pub metric: String,
    pub expression: String,
    pub value: f64,
    pub held: bool,
    /// True if slow must cross it.
    pub slow_crosses: bool,
}

/// Outcome of a gate.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// True if k6 would end with 0.
    pub passed: bool,
    pub thresholds: Vec<Judged>,
    /// True if slow crossed exactly what it must, or fast nothing; None for other variants.
    pub as_expected: Option<bool>,
}

impl Threshold {
    fn parse(metric: &str, expression: &str) -> Result<Self, String> {
        let bad = || format!("{metric}: {expression}: it is no threshold that a race understands");
        let text = expression.replace(' ', "");
        let found = OPERATORS.iter().find_map(|(sign, operator)| {
            text.split_once(sign).map(|(aggregation, limit)| (aggregation, *operator, limit))
        });
        let (aggregation, operator, limit) = found.ok_or_else(bad)?;
        let aggregation = match aggregation {
            "avg" => Aggregation::Mean,
            "min" => Aggregation::Min,
            "max" => Aggregation::Max,
            "med" => Aggregation::Percentile(50.0),
            "count" => Aggregation::Count,
            "rate" => Aggregation::Rate,
            other => {
                let percent = other.strip_prefix("p(").and_then(|p| p.strip_suffix(')'));
                let percent = percent.and_then(|p| p.parse().ok()).ok_or_else(bad)?;
                Aggregation::Percentile(percent)
            }
        };
        let limit = limit.parse().map_err(|_| bad())?;
        let (metric, expression) = (metric.to_owned(), expression.to_owned());
        Ok(Self { metric, expression, limit, aggregation, operator })
    }

    /// True if the limit is a share, 0 to 1.
    pub fn is_share(&self) -> bool {
        self.aggregation == Aggregation::Rate
    }

    /// Value of the metric; None if the metric has no such aggregation. Without a sample it is 0, as
    /// k6 has it.
    fn value(&self, metric: &Metric<'_>) -> Option<f64> {
        match (metric, self.aggregation) {
            (Metric::Trend(values), aggregation) => {
                let values = sorted(values);
                let value = match aggregation {
                    Aggregation::Mean => mean(&values),
                    Aggregation::Min => values.first().copied(),
                    Aggregation::Max => values.last().copied(),
                    Aggregation::Percentile(percent) => percentile(&values, percent),
                    Aggregation::Count => Some(values.len() as f64),
                    Aggregation::Rate => return None,
                };
                Some(value.unwrap_or(0.0))
            }
            (Metric::Rate { of: 0, .. }, Aggregation::Rate) => Some(0.0),
            (Metric::Rate { hits, of }, Aggregation::Rate) => Some(*hits as f64 / *of as f64),
            (Metric::Counter { count, .. }, Aggregation::Count) => Some(*count as f64),
            (Metric::Counter { count, seconds }, Aggregation::Rate) => {
                Some(if *seconds > 0.0 { *count as f64 / seconds } else { 0.0 })
            }
            _ => None,
        }
    }

    fn holds(&self, value: f64) -> bool {
        match self.operator {
            Operator::Less => value < self.limit,
            Operator::AtMost => value <= self.limit,
            Operator::Greater => value > self.limit,
            Operator::AtLeast => value >= self.limit,
            Operator::Equal => value == self.limit,
            Operator::NotEqual => value != self.limit,
        }
    }

    fn text(&self) -> String {
        format!("{}: {}", self.metric, self.expression)
    }

    pub fn is_crossed_by_slow(&self, evidence: &Evidence) -> bool {
        evidence.gate.slow_crosses.contains(&self.text())
    }
}

/// Thresholds of a run: those of the gate, and those that k6/lab.js adds.
pub fn of(evidence: &Evidence) -> Result<Vec<Threshold>, String> {
    let of_gate = evidence.gate.thresholds.iter().flat_map(|(metric, expressions)| {
        expressions.iter().map(move |expression| (metric.clone(), expression.clone()))
    });
    let of_answer = evidence.answer.thresholds();
    let of_answer = of_answer.filter_map(|text| {
        let (metric, expression) = text.split_once(": ")?;
        Some((metric.to_owned(), expression.to_owned()))
    });
    let (Profile::ConstantArrivalRate { min_requests, .. }
    | Profile::RampingVus { min_requests, .. }) = &evidence.load.proof;
    let own = [
        ("checks".to_owned(), "rate==1".to_owned()),
        ("http_reqs".to_owned(), format!("count>={min_requests}")),
    ];
    let all = of_gate.chain(of_answer).chain(own);
    all.map(|(metric, expression)| Threshold::parse(&metric, &expression)).collect()
}

/// Refuses a gate with a metric that only k6 measures.
pub fn check(loaded: &LoadedLab) -> Result<(), String> {
    let samples = Samples::of(loaded);
    for threshold in of(&loaded.evidence)? {
        let metric = samples.metric(&threshold.metric, 0.0);
        if metric.and_then(|metric| threshold.value(&metric)).is_none() {
            return Err(format!("the gate has {}, which only k6 can judge", threshold.text()));
        }
    }
    Ok(())
}

/// Judges the samples of a lane.
pub fn judge(
    evidence: &Evidence,
    variant: &str,
    samples: &Samples,
    seconds: f64,
) -> Result<Verdict, String> {
    let mut thresholds = Vec::new();
    for threshold in of(evidence)? {
        let value = samples.metric(&threshold.metric, seconds);
        let value = value.and_then(|metric| threshold.value(&metric)).unwrap_or(f64::NAN);
        let slow_crosses = threshold.is_crossed_by_slow(evidence);
        let held = threshold.holds(value);
        let Threshold { metric, expression, .. } = threshold;
        thresholds.push(Judged { metric, expression, value, held, slow_crosses });
    }
    let passed = thresholds.iter().all(|judged| judged.held);
    let as_expected = match variant {
        "slow" => Some(thresholds.iter().all(|judged| judged.held != judged.slow_crosses)),
        "fast" => Some(passed),
        _ => None,
    };
    Ok(Verdict { passed, thresholds, as_expected })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(expression: &str, metric: &Metric<'_>) -> bool {
        let threshold = Threshold::parse("m", expression).unwrap();
        threshold.holds(threshold.value(metric).unwrap())
    }

    #[test]
    fn expressions_mean_what_they_mean_to_k6() {
        let trend = Metric::Trend(&[1.0, 3.0, 2.0]);
        for expression in
            ["max<=3", "max < 3.5", "avg==2", "med<=2", "p(50)>=2", "min>0", "count>=3", "p(95)<3"]
        {
            assert!(held(expression, &trend), "{expression}");
        }
        for expression in ["max<3", "avg!=2", "p(95)>3", "min>=2"] {
            assert!(!held(expression, &trend), "{expression}");
        }
        assert!(held("rate==1", &Metric::Rate { hits: 3, of: 3 }));
        assert!(held("count>=4", &Metric::Counter { count: 4, seconds: 2.0 }));
        assert!(held("rate<=2", &Metric::Counter { count: 4, seconds: 2.0 }));
    }

    #[test]
    fn without_a_sample_every_value_is_zero() {
        assert!(held("p(95)<500", &Metric::Trend(&[])));
        assert!(!held("rate==1", &Metric::Rate { hits: 0, of: 0 }));
    }

    #[test]
    fn what_is_no_threshold_is_refused() {
        for expression in ["", "max", "max~3", "p(x)<3", "middle<3", "max<much"] {
            assert!(Threshold::parse("m", expression).is_err(), "{expression}");
        }
        let rate = Threshold::parse("m", "rate<1").unwrap();
        assert_eq!(rate.value(&Metric::Trend(&[1.0])), None);
    }
}
