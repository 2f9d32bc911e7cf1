//! The whole proof: what it demands beyond one request, and its outcome as lines.

use crate::{
    evidence::Evidence,
    prove::{Attempt, Proof},
};

/// Demands of `prove --yours` beyond one request, in a sentence.
pub fn demands(evidence: &Evidence) -> String {
    let load = evidence.load.proof.in_words();
    let gate = evidence.gate.thresholds.iter();
    let gate: Vec<_> = gate.map(|(metric, all)| format!("{metric} {}", all.join(", "))).collect();
    format!(
        "The proof loads yours with {load}, demands {}, and looks at every request, at the whole \
         process, and at the flame graphs meanwhile.",
        gate.join("; ")
    )
}

/// Text for a machine without k6; `reason` says how to get it.
pub fn without_k6(evidence: &Evidence, reason: &str) -> Vec<String> {
    vec![
        "k6, which makes the load, is not here. One request was graded all the same.".to_owned(),
        demands(evidence),
        reason.to_owned(),
    ]
}

/// Outcome of a proof, one line a step and one for each reason that it fails.
pub fn lines(proof: &Proof) -> Vec<String> {
    let Attempt { steps, invalid, seconds, .. } = &proof.last;
    let verdict = match (proof.holds, invalid) {
        (true, _) => "holds".to_owned(),
        (false, Some(reason)) => format!("IS INVALID: {reason}"),
        (false, None) => "DOES NOT HOLD".to_owned(),
    };
    let mut lines = vec![format!("The proof {verdict}, {seconds:.0} s.")];
    for step in steps {
        let verdict = if step.failures.is_empty() { "holds" } else { "FAILS" };
        lines.push(format!("{verdict}  {}: {}", step.name, step.measured));
        let failures = step.failures.iter().flat_map(|failure| failure.lines());
        lines.extend(failures.map(|line| format!("       {line}")));
    }
    lines
}
