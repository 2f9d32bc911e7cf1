//! Verdict on one request to yours: the answer must be fast's, and its numbers within the bounds by
//! which a proof grades. Pure: numbers in, verdict out.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    evidence::Evidence,
    judge::{
        Totals, answers,
        bounds::{self, Bound, Measured},
    },
};
use observe::{cost::Counter, measurements::Summary};

/// Answer to one request, and its cost.
#[derive(Debug, Clone)]
pub struct Asked {
    pub status: u16,
    pub body: Value,
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
    /// Nothing speaks against it, but one request can't decide; the reasons.
    NeedsProof(Vec<String>),
}

impl Asked {
    pub fn numbers(&self) -> Numbers {
        self.summary.counters.iter().map(|(counter, figures)| (*counter, figures.max)).collect()
    }
}

/// Judges yours by one request, and by what the whole process did meanwhile.
pub fn grade(
    evidence: &Evidence,
    fast: &Asked,
    yours: &Result<Asked, String>,
    process: &Totals,
) -> Verdict {
    let Asked { status, body, summary } = match yours {
        Ok(yours) => yours,
        Err(reason) => return Verdict::Red(vec![reason.clone()]),
    };
    let mut wrong = Vec::new();
    if !evidence.answer.allows(*status) {
        let allowed = evidence.answer.allowed();
        wrong.push(format!("the status is {status}, and should be {allowed}"));
    } else if let Some(difference) = answers::difference(&fast.body, body) {
        wrong.push(format!("it answers otherwise than fast: {difference}"));
    }
    // Times are only an indication: one request has no neighbours, and the machine may be busy.
    let (counts, times): (Vec<_>, Vec<_>) =
        bounds::of(evidence).into_iter().partition(Bound::is_count);
    let measured = Measured { summary, totals: process, requests: 1 };
    wrong.extend(bounds::grade(evidence, &counts, &measured));
    if !wrong.is_empty() {
        return Verdict::Red(wrong);
    }
    let mut open = bounds::grade(evidence, &times, &measured);
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
