//! The verdict of a gate: every threshold of the proof, judged by the samples of a lane.

use serde::Serialize;

use super::{samples::Samples, thresholds::Threshold};
use crate::{
    evidence::{Evidence, Profile},
    lab::LoadedLab,
};

/// Outcome of one threshold.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judged {
    pub metric: String,
    pub expression: String,
    /// None of a rate without a sample.
    pub value: Option<f64>,
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

/// Thresholds of a run: those of the gate, and those that k6/lab.js adds.
pub fn thresholds(evidence: &Evidence) -> Result<Vec<Threshold>, String> {
    let (Profile::ConstantArrivalRate { min_requests, .. }
    | Profile::RampingVus { min_requests, .. }) = &evidence.load.proof;
    let own = ["checks: rate==1".to_owned(), format!("http_reqs: count>={min_requests}")];
    let all = evidence.gate.with_statuses(&evidence.answer).chain(own);
    all.map(|text| {
        // Without a colon it has no expression, which is refused.
        let (metric, expression) = text.split_once(": ").unwrap_or((&text, ""));
        Threshold::parse(metric, expression)
    })
    .collect()
}

/// Refuses a gate with a metric that only k6 measures.
pub fn check(loaded: &LoadedLab) -> Result<(), String> {
    let samples = Samples::of(loaded);
    for threshold in thresholds(&loaded.evidence)? {
        let metric = samples.metric(&threshold.metric, 0.0);
        if !metric.is_some_and(|metric| threshold.suits(&metric)) {
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
    let mut judged = Vec::new();
    for threshold in thresholds(evidence)? {
        let value = samples.metric(&threshold.metric, seconds);
        let value = value.and_then(|metric| threshold.value(&metric));
        let slow_crosses = threshold.is_crossed_by_slow(evidence);
        let held = threshold.holds(value);
        let Threshold { metric, expression, .. } = threshold;
        judged.push(Judged { metric, expression, value, held, slow_crosses });
    }
    let passed = judged.iter().all(|judged| judged.held);
    let as_expected = match variant {
        "slow" => Some(judged.iter().all(|judged| judged.held != judged.slow_crosses)),
        "fast" => Some(passed),
        _ => None,
    };
    Ok(Verdict { passed, thresholds: judged, as_expected })
}
