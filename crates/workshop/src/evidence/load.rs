//! Load that k6 sends to a variant, and the gate that the variant must hold meanwhile.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Answer;

/// Load that k6 sends.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Load {
    /// Short profile with an open model, for gates.
    pub proof: Profile,
    /// Longer profile, for an audience.
    pub stage: Profile,
}

/// A k6 scenario. Times are seconds.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, tag = "executor", rename_all = "kebab-case")]
pub enum Profile {
    /// Open model: requests arrive at a rate, however slow the answers are.
    ConstantArrivalRate {
        /// Requests per second.
        rate: u32,
        duration: u32,
        max_vus: u32,
        graceful_stop: u32,
        /// Fewest answered requests that make the run meaningful.
        min_requests: u32,
    },
    /// Closed model: users who wait for an answer, think, and send the next request.
    RampingVus { stages: Vec<Stage>, think_time: f64, graceful_stop: u32, min_requests: u32 },
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    pub duration: u32,
    pub target: u32,
}

/// k6 thresholds, the same for every variant. The runner always adds `checks` and the number of
/// requests.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    pub thresholds: BTreeMap<String, Vec<String>>,
    /// Thresholds that slow must cross, as `metric: expression`; it must hold the others.
    pub slow_crosses: Vec<String>,
}

impl Gate {
    /// Every threshold on a lab's answers, as `metric: expression`: those of the gate, and those that
    /// its statuses make.
    pub fn with_statuses(&self, answer: &Answer) -> impl Iterator<Item = String> {
        let of_gate = self.thresholds.iter().flat_map(|(metric, expressions)| {
            expressions.iter().map(move |expression| format!("{metric}: {expression}"))
        });
        of_gate.chain(answer.thresholds())
    }
}
