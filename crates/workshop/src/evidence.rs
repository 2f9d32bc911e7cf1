//! Parses lab.json, the one evidence file that docs, k6, prove, the lab page and CI read.
//!
//! Unknown keys, missing keys, and ranges that no number can meet are errors.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use observe::cost::Counter;

/// A right answer.
mod answer;
/// Areas of the catalogue.
mod area;
/// Reasons to refuse a lab.json that parses.
mod check;
/// Load that k6 sends, and the gate for it.
mod load;
/// Metrics of the ops port.
mod metric;
/// Requirements, and settings of the server.
mod needs;
/// Requests that must be refused.
mod refusal;
/// The request.
mod request;
/// Placeholders in the texts of a request.
pub mod template;
#[cfg(test)]
pub(crate) mod tests;

pub use answer::{Answer, Share};
pub use area::Area;
pub use load::{Gate, Load, Profile, Stage};
pub use metric::{Metric, Per};
pub use needs::{Needs, Settings};
pub use refusal::{Refusal, Session};
pub use request::{FLOW, Method, Request};

/// The content of a lab.json.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    pub title: String,
    pub area: Area,
    /// Place in the area's teaching order.
    pub order: u32,
    /// Question to the learner.
    pub question: String,
    /// Hints in order, each stronger than the one before.
    pub hints: Vec<String>,
    /// Origin of the lab: the real defect that it shows.
    pub origin: String,
    pub request: Request,
    pub answer: Answer,
    /// Requests that every variant must refuse.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refusals: Vec<Refusal>,
    pub load: Load,
    pub gate: Gate,
    pub evidence: Sides,
    /// Limits on how soon the symptom shows and is gone, for labs where that is measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery: Option<Recovery>,
    pub wrong_fixes: Vec<WrongFix>,
    /// What slow takes from whoever is beside it, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exhausts: Option<Exhausts>,
    pub needs: Needs,
    /// Settings of the server that shows the lab.
    #[serde(default, skip_serializing_if = "Settings::is_empty")]
    pub settings: Settings,
}

/// A resource of the whole server that slow takes under load. Times that are measured beside it say
/// nothing about what they were measured of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exhausts {
    /// The app's worker threads: they are blocked.
    Workers,
    /// The cores: they compute.
    Cores,
}

impl Exhausts {
    /// Warning for people.
    pub fn warning(self) -> &'static str {
        match self {
            Self::Workers => {
                "Slow blocks the app's workers: no time that is measured beside it counts."
            }
            Self::Cores => "Slow fills the cores: no time that is measured beside it counts.",
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sides {
    pub slow: Expected,
    pub fast: Expected,
}

/// Evidence that the ops port must show after a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    pub counters: BTreeMap<Counter, Range>,
    #[serde(default)]
    pub frames: Vec<Frame>,
    /// Spans of one trace, those included that were too many to keep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spans: Option<Range>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<Metric>,
}

/// A range that includes both ends; one may be open.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// Part of the requests that must be in the range.
    #[serde(default, skip_serializing_if = "Statistic::is_every")]
    pub statistic: Statistic,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
}

/// Part of the requests that a range is about. Counts such as queries are the same for every
/// request. Others have outliers without meaning: one contended lock makes a few switches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Statistic {
    #[default]
    Every,
    /// 90 % of the requests.
    P90,
    /// All of them together: their mean.
    Mean,
}

impl Statistic {
    fn is_every(&self) -> bool {
        *self == Self::Every
    }
}

/// A function that a flame graph of the run must show, or must not.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frame {
    pub mode: ProfileMode,
    /// Part of the demangled function name.
    pub function: String,
    /// Samples that hold the frame ÷ all samples of threads named `app-*`, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<Range>,
    /// Average number of threads in the frame at a time; in a CPU profile, cores used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threads: Option<Range>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProfileMode {
    Cpu,
    Wall,
}

impl ProfileMode {
    /// Name as in lab.json and in `mode=`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Wall => "wall",
        }
    }
}

/// Limits in seconds.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recovery {
    /// Time from the start of the slow load until its evidence holds.
    pub symptom_within: f64,
    /// Time from the end of the slow load until a new fast request is back in its range.
    pub recovered_within: f64,
}

/// A fix that people try, served at `/v4/{name}`, with the numbers that refute it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrongFix {
    pub name: String,
    pub idea: String,
    pub refuted_by: BTreeMap<Counter, Range>,
}

impl Evidence {
    pub fn parse(id: &str, text: &str) -> Result<Self, String> {
        let mut json = serde_json::Deserializer::from_str(text);
        let evidence: Self = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let (key, reason) = (error.path().to_string(), error.into_inner());
            // Without a key it is about the whole file.
            let is_whole = [".", "?"].contains(&key.as_str());
            if is_whole { reason.to_string() } else { format!("{key}: {reason}") }
        })?;
        json.end().map_err(|e| e.to_string())?;
        evidence.check(id)?;
        Ok(evidence)
    }

    /// The route that serves a variant.
    pub fn route(&self, variant: &str) -> String {
        self.request.route(variant)
    }

    /// All variants: slow, fast, yours and the wrong fixes.
    pub fn variants(&self) -> impl Iterator<Item = &str> {
        let wrong = self.wrong_fixes.iter().map(|fix| fix.name.as_str());
        ["slow", "fast", "yours"].into_iter().chain(wrong)
    }
}

impl std::fmt::Display for Range {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.statistic {
            Statistic::Every => {}
            Statistic::P90 => write!(f, "for nine of ten requests ")?,
            Statistic::Mean => write!(f, "on average ")?,
        }
        match (self.min, self.max) {
            (Some(min), Some(max)) if min == max => write!(f, "= {min}"),
            (Some(min), Some(max)) => write!(f, "{min} to {max}"),
            (Some(min), None) => write!(f, "≥ {min}"),
            (None, Some(max)) => write!(f, "≤ {max}"),
            (None, None) => write!(f, "any"),
        }
    }
}
