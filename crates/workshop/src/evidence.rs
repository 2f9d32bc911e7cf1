//! lab.json, the one file that docs, k6, prove, the lab page and CI read.
//!
//! A key it doesn't know, one that is missing, or a range that nothing can meet is an error.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use observe::cost::Counter;

/// Reasons to refuse a lab.json that parses.
mod check;

/// The whole file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    pub title: String,
    pub area: String,
    /// The question put to the learner.
    pub question: String,
    /// In order, each a little stronger.
    pub hints: Vec<String>,
    /// Where the lab came from.
    pub origin: String,
    pub request: Request,
    pub load: Load,
    pub gate: Gate,
    pub evidence: Sides,
    /// Limits on how fast the symptom shows and goes, for labs that are asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery: Option<Recovery>,
    pub wrong_fixes: Vec<WrongFix>,
    pub needs: Needs,
}

/// The request that every variant answers alike.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    pub method: String,
    /// Where the variants hang: `{mount}/v1/slow`, `{mount}/v2/fast` and so on.
    pub mount: String,
    /// The status of a right answer.
    pub status: u16,
}

/// What k6 sends.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Load {
    /// Short and open, for gates.
    pub proof: Profile,
    /// Longer, for an audience.
    pub stage: Profile,
}

/// A k6 scenario. Times are seconds.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, tag = "executor", rename_all = "kebab-case")]
pub enum Profile {
    /// Open model: requests arrive at a rate, however slow the answers are.
    ConstantArrivalRate {
        /// Requests each second.
        rate: u32,
        duration: u32,
        max_vus: u32,
        graceful_stop: u32,
        /// Fewest requests that must be answered for the run to say anything.
        min_requests: u32,
    },
    /// Closed model: users who wait for an answer, think, and ask again.
    RampingVus { stages: Vec<Stage>, think_time: f64, graceful_stop: u32, min_requests: u32 },
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    pub duration: u32,
    pub target: u32,
}

/// k6 thresholds, the same for every variant. `checks` and the number of requests are always
/// added by the runner.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    pub thresholds: BTreeMap<String, Vec<String>>,
    /// Those that slow must cross, as `metric: expression`; it must hold the others.
    pub slow_crosses: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sides {
    pub slow: Expected,
    pub fast: Expected,
}

/// What the ops port must show after a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    pub counters: BTreeMap<Counter, Range>,
    #[serde(default)]
    pub frames: Vec<Frame>,
}

/// Both ends belong to it; one may be open.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// What of the requests must be in it.
    #[serde(default, skip_serializing_if = "Of::is_every")]
    pub of: Of,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
}

/// Counts such as queries are the same for every request. Others have outliers that mean nothing: one
/// contended lock makes a few switches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Of {
    #[default]
    Every,
    /// Nine requests of ten.
    P90,
}

impl Of {
    fn is_every(&self) -> bool {
        *self == Self::Every
    }
}

/// A function that a flame graph of the run must show, or must not.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frame {
    pub mode: ProfileMode,
    /// Part of the demangled name.
    pub function: String,
    /// Samples that hold the frame ÷ all samples of threads named `app-*`, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<Range>,
    /// Threads that were in the frame at a time, on average; in a CPU profile, cores it used.
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
    /// As in lab.json and in `mode=`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Wall => "wall",
        }
    }
}

/// Seconds.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recovery {
    /// From the start of the slow load until its evidence holds.
    pub symptom_within: f64,
    /// From the end of the slow load until a fresh fast request is back in its range.
    pub recovered_within: f64,
}

/// A fix that people try, served at `/v4/{name}`, and the numbers that refute it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrongFix {
    pub name: String,
    pub idea: String,
    pub refuted_by: BTreeMap<Counter, Range>,
}

/// What a machine must have for the symptom to show.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Needs {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cores: Option<usize>,
}

impl Needs {
    /// Why the symptom can't show here, if it can't.
    pub fn missing(&self) -> Option<String> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let wanted = self.cores.filter(|wanted| *wanted > cores)?;
        Some(format!("needs {wanted} cores to show its symptom, and this machine has {cores}"))
    }
}

impl Evidence {
    pub fn parse(id: &str, text: &str) -> Result<Self, String> {
        let evidence: Self = serde_json::from_str(text).map_err(|e| e.to_string())?;
        evidence.check(id)?;
        Ok(evidence)
    }

    /// The route that serves a variant.
    pub fn route(&self, variant: &str) -> String {
        format!("{}{}", self.request.mount, variant_path(variant))
    }

    /// Everything served: slow, fast, yours and the wrong fixes.
    pub fn variants(&self) -> impl Iterator<Item = &str> {
        let wrong = self.wrong_fixes.iter().map(|fix| fix.name.as_str());
        ["slow", "fast", "yours"].into_iter().chain(wrong)
    }
}

impl std::fmt::Display for Range {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.of == Of::P90 {
            write!(f, "for nine of ten requests ")?;
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

/// Path below a lab's mount point that serves a variant: slow, fast, yours, or a wrong fix.
pub fn variant_path(variant: &str) -> String {
    match variant {
        "slow" => "/v1/slow".to_owned(),
        "fast" => "/v2/fast".to_owned(),
        "yours" => "/v3/yours".to_owned(),
        wrong => format!("/v4/{wrong}"),
    }
}
