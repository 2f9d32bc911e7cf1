//! Metrics as evidence: by how much what `/metrics` shows grows during a run.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use super::{Range, Statistic, check::ensure};

/// Growth of a metric that a run must show, summed over its series with these labels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    /// Name of the samples: those of a histogram end in `_count` or `_sum`.
    pub metric: String,
    /// Labels of the series that count. `{variant}` is the variant under load.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    pub per: Per,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
}

/// Divisor of the growth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Per {
    Request,
    Run,
}

/// Placeholder of the variant under load.
const VARIANT: &str = "{variant}";

impl Metric {
    pub fn range(&self) -> Range {
        Range { statistic: Statistic::Every, min: self.min, max: self.max }
    }

    /// The labels while a variant is under load.
    pub fn labels_of(&self, variant: &str) -> BTreeMap<&str, String> {
        let filled = |value: &String| value.replace(VARIANT, variant);
        self.labels.iter().map(|(name, value)| (name.as_str(), filled(value))).collect()
    }

    fn is_of_the_same_series(&self, other: &Self) -> bool {
        self.metric == other.metric && self.labels == other.labels
    }

    /// Checks this one of a side. A misspelt name would never grow, so where that is right, the
    /// other side must show that it can.
    pub(super) fn check(&self, other_side: &[Self], other: &str) -> Result<(), String> {
        let is_name = |name: &str, more: &str| {
            let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || more.contains(c);
            name.starts_with(|c: char| is_part(c) && !c.is_ascii_digit())
                && name.chars().all(is_part)
        };
        ensure(is_name(&self.metric, ":"), || {
            "it can't be the name of a metric, which has letters, digits, _ and :".to_owned()
        })?;
        for (name, value) in &self.labels {
            ensure(is_name(name, ""), || format!("labels.{name} can't be the name of a label"))?;
            ensure(name != "variant" || value == VARIANT, || {
                format!(
                    "labels.variant is {value:?}; {VARIANT:?} would be right, which yours has too"
                )
            })?;
            ensure(!value.replace(VARIANT, "").contains(['{', '}']), || {
                format!("labels.{name}: only {VARIANT} is replaced")
            })?;
        }
        self.range().check(f64::INFINITY)?;
        let grows = |of: &Self| of.min.is_some_and(|min| min > 0.0);
        let mut same = other_side.iter().filter(|of| self.is_of_the_same_series(of));
        ensure(grows(self) || same.any(grows), || {
            format!(
                "no growth at all is right here, so a misspelt name would be too; evidence.{other} \
                 needs it with a min"
            )
        })
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.metric)?;
        if !self.labels.is_empty() {
            let pairs: Vec<_> =
                self.labels.iter().map(|(name, v)| format!("{name}={v:?}")).collect();
            write!(f, "{{{}}}", pairs.join(","))?;
        }
        f.write_str(match self.per {
            Per::Request => " for each request",
            Per::Run => " in the run",
        })
    }
}
