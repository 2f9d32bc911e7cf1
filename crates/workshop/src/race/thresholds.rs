//! Thresholds of a gate in k6's syntax: `p(95)<500`, `max<=2`, `rate==1`.

use super::{
    samples::Metric,
    statistics::{mean, percentile, sorted},
};
use crate::evidence::Evidence;

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
const OPERATORS: [(&str, Operator); 7] = [
    ("<=", Operator::AtMost),
    (">=", Operator::AtLeast),
    ("===", Operator::Equal),
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("<", Operator::Less),
    (">", Operator::Greater),
];

impl Threshold {
    pub fn parse(metric: &str, expression: &str) -> Result<Self, String> {
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

    /// True if the metric has such an aggregation.
    pub fn suits(&self, metric: &Metric<'_>) -> bool {
        match metric {
            Metric::Trend(_) => !matches!(self.aggregation, Aggregation::Count | Aggregation::Rate),
            Metric::Rate { .. } => self.aggregation == Aggregation::Rate,
            Metric::Counter { .. } => {
                matches!(self.aggregation, Aggregation::Count | Aggregation::Rate)
            }
        }
    }

    /// Value of the metric. Without a sample that of a trend is 0, and a rate has none, as k6 has it.
    pub fn value(&self, metric: &Metric<'_>) -> Option<f64> {
        match (metric, self.aggregation) {
            (Metric::Trend(values), aggregation) => {
                let values = sorted(values);
                let value = match aggregation {
                    Aggregation::Mean => mean(&values),
                    Aggregation::Min => values.first().copied(),
                    Aggregation::Max => values.last().copied(),
                    Aggregation::Percentile(percent) => percentile(&values, percent),
                    Aggregation::Count | Aggregation::Rate => return None,
                };
                Some(value.unwrap_or(0.0))
            }
            (Metric::Rate { hits, of }, Aggregation::Rate) if *of > 0 => {
                Some(*hits as f64 / *of as f64)
            }
            (Metric::Counter { count, .. }, Aggregation::Count) => Some(*count as f64),
            (Metric::Counter { count, seconds }, Aggregation::Rate) => {
                Some(if *seconds > 0.0 { *count as f64 / seconds } else { 0.0 })
            }
            _ => None,
        }
    }

    /// True if it holds. Of no value k6 says so too; that there are samples is a threshold of its own.
    pub fn holds(&self, value: Option<f64>) -> bool {
        let Some(value) = value else { return true };
        match self.operator {
            Operator::Less => value < self.limit,
            Operator::AtMost => value <= self.limit,
            Operator::Greater => value > self.limit,
            Operator::AtLeast => value >= self.limit,
            Operator::Equal => value == self.limit,
            Operator::NotEqual => value != self.limit,
        }
    }

    pub fn text(&self) -> String {
        format!("{}: {}", self.metric, self.expression)
    }

    pub fn is_crossed_by_slow(&self, evidence: &Evidence) -> bool {
        evidence.gate.slow_crosses.contains(&self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(expression: &str, metric: &Metric<'_>) -> bool {
        let threshold = Threshold::parse("m", expression).unwrap();
        assert!(threshold.suits(metric), "{expression}");
        threshold.holds(threshold.value(metric))
    }

    #[test]
    fn expressions_mean_what_they_mean_to_k6() {
        let trend = Metric::Trend(&[1.0, 3.0, 2.0]);
        for expression in
            ["max<=3", "max < 3.5", "avg==2", "med<=2", "p(50)>=2", "min>0", "max===3", "p(95)<3"]
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
    fn without_a_sample_a_trend_is_zero_and_every_rate_is_right() {
        let (trend, rate) = (Metric::Trend(&[]), Metric::Rate { hits: 0, of: 0 });
        assert!(held("p(95)<500", &trend) && !held("max>5", &trend));
        assert!(held("rate==1", &rate) && held("rate<0.5", &rate));
        assert!(!held("count>=1", &Metric::Counter { count: 0, seconds: 1.0 }));
    }

    #[test]
    fn what_is_no_threshold_is_refused() {
        for expression in ["", "max", "max~3", "max!==3", "p(x)<3", "middle<3", "max<much"] {
            assert!(Threshold::parse("m", expression).is_err(), "{expression}");
        }
        for expression in ["rate<1", "count>=1"] {
            let threshold = Threshold::parse("m", expression).unwrap();
            assert!(!threshold.suits(&Metric::Trend(&[1.0])), "{expression}");
        }
    }
}
