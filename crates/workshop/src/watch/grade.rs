//! Verdict on a few requests to yours, mostly one: the answers must be fast's, and their numbers
//! within the bounds by which a proof grades. Pure: numbers in, verdict out.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    evidence::Evidence,
    judge::{
        self, Totals,
        bounds::{self, Bound, Measured},
    },
};
use observe::{cost::Counter, measurements::Summary};

/// Answers of a variant, and their cost.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Status and body of each, in order.
    pub answers: Vec<(u16, Value)>,
    pub summary: Summary,
}

/// Cost of one request, by counter.
pub type Numbers = BTreeMap<Counter, f64>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The answer is right, and every number is within its bound.
    Green,
    /// Reasons that it is not.
    Red(Vec<String>),
    /// Nothing speaks against it, but so few requests can't decide; the reasons.
    NeedsProof(Vec<String>),
}

impl Verdict {
    /// The verdict with more reasons against it, if there are any.
    pub fn with(self, reasons: Vec<String>) -> Self {
        match self {
            verdict if reasons.is_empty() => verdict,
            Self::Red(known) => Self::Red([known, reasons].concat()),
            Self::Green | Self::NeedsProof(_) => Self::Red(reasons),
        }
    }
}

impl Asked {
    pub fn numbers(&self) -> Numbers {
        self.summary.counters.iter().map(|(counter, figures)| (*counter, figures.max)).collect()
    }
}

/// Judges yours by its answers, and by what the whole process did meanwhile.
pub fn grade(
    evidence: &Evidence,
    fast: &Asked,
    yours: &Result<Asked, String>,
    process: &Totals,
) -> Verdict {
    let Asked { answers, summary } = match yours {
        Ok(yours) => yours,
        Err(reason) => return Verdict::Red(vec![reason.clone()]),
    };
    let mut wrong = Vec::new();
    for ((status, body), (of_fast, right)) in answers.iter().zip(&fast.answers) {
        if !evidence.answer.allows(*status) {
            let allowed = evidence.answer.allowed();
            wrong.push(format!("the status is {status}, and should be {allowed}"));
        } else if let Some(difference) = judge::answers::other_status(*of_fast, *status)
            .or_else(|| judge::answers::difference(right, body))
        {
            wrong.push(format!("it answers otherwise than fast: {difference}"));
        }
    }
    // Times are only an indication: one request has no neighbours, and the machine may be busy.
    let decides = |bound: &Bound| bound.is_count() && !bound.needs_load();
    let (counts, others): (Vec<_>, Vec<_>) = bounds::of(evidence).into_iter().partition(decides);
    let measured = Measured { summary, totals: process, requests: answers.len() as u64 };
    wrong.extend(bounds::grade(evidence, &counts, &measured));
    if !wrong.is_empty() {
        return Verdict::Red(wrong);
    }
    let mut open = bounds::grade(evidence, &others, &measured);
    if !counts.iter().any(|bound| is_crossed_by_slow(bound, evidence)) {
        open.push("no count tells slow from fast here: time decides, under load".to_owned());
    }
    if open.is_empty() { Verdict::Green } else { Verdict::NeedsProof(open) }
}

/// True if one request tells slow from a fix by this number.
fn is_crossed_by_slow(bound: &Bound, evidence: &Evidence) -> bool {
    let slow = evidence.evidence.slow.counters.get(&bound.counter);
    let is_over = slow.and_then(|range| range.min).is_some_and(|min| min > bound.limit);
    is_over && bound.counter.is_measured()
}

#[cfg(test)]
mod tests;
