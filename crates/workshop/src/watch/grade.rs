//! Verdict on one request to yours: the answer must be fast's, and its counts within the bounds.
//! Pure: numbers in, verdict out.

use std::collections::BTreeMap;

use serde_json::Value;

use super::bounds::Bounds;
use crate::{
    evidence::{Evidence, Range, Statistic},
    judge::{self, Totals},
};
use observe::cost::Counter;

/// Answer to one request, and its cost.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    pub status: u16,
    pub body: Value,
    pub numbers: Numbers,
}

/// Cost of one request, by counter.
pub type Numbers = BTreeMap<Counter, f64>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The answer is right, and every count is within its bound.
    Green,
    /// Reasons that it is not.
    Red(Vec<String>),
    /// Nothing speaks against it, but one request can't decide; the reasons.
    NeedsProof(Vec<String>),
}

/// Characters of a value that a reason quotes.
const QUOTED: usize = 40;

/// Judges yours by one request, and by what the whole process did meanwhile.
pub fn grade(
    evidence: &Evidence,
    fast: &Asked,
    yours: &Result<Asked, String>,
    process: &Totals,
) -> Verdict {
    let yours = match yours {
        Ok(yours) => yours,
        Err(reason) => return Verdict::Red(vec![reason.clone()]),
    };
    let bounds = Bounds::of(evidence);
    let mut wrong = Vec::new();
    if yours.status != fast.status {
        wrong.push(format!("the status is {}, and should be {}", yours.status, fast.status));
    } else if let Some(difference) = difference("$", &fast.body, &yours.body) {
        wrong.push(format!("the answer differs: {difference}"));
    }
    wrong.extend(over(&bounds.counts, &yours.numbers, "should be at most"));
    if wrong.is_empty() {
        wrong = beside(&bounds, process);
    }
    if !wrong.is_empty() {
        return Verdict::Red(wrong);
    }
    let mut open = over(&bounds.times, &yours.numbers, "fast's evidence has at most");
    if !bounds.decide {
        open.push("no count tells slow from fast here: time decides, under load".to_owned());
    }
    if open.is_empty() { Verdict::Green } else { Verdict::NeedsProof(open) }
}

/// Numbers over their bound, in words.
fn over(bounds: &BTreeMap<Counter, f64>, numbers: &Numbers, demand: &str) -> Vec<String> {
    let over = |(counter, most): (&Counter, &f64)| {
        let number = numbers.get(counter).filter(|number| *number > most)?;
        Some(format!("{} is {number:.0}, {demand} {most:.0}", counter.name()))
    };
    bounds.iter().filter_map(over).collect()
}

/// Work of the process that is on no request's record, because a task does it that nobody waits
/// for. Two requests' worth is allowed: one is the request's, one the server's own.
fn beside(bounds: &Bounds, process: &Totals) -> Vec<String> {
    let range = |most: &f64| Range { statistic: Statistic::Every, min: None, max: Some(*most) };
    let ranges = bounds.counts.iter().map(|(counter, most)| (*counter, range(most))).collect();
    let beside = judge::totals(&ranges, process, 2);
    if beside.is_empty() {
        return beside;
    }
    let over = |(counter, most): (&Counter, &f64)| {
        let total = process.get(counter.name()).filter(|total| **total > *most)?;
        Some(format!(
            "{} of the whole process is {total:.0}: work goes on in a task that the request does \
             not wait for",
            counter.name()
        ))
    };
    bounds.counts.iter().filter_map(over).collect()
}

/// First place at which two answers differ, as a path into yours.
fn difference(at: &str, fast: &Value, yours: &Value) -> Option<String> {
    match (fast, yours) {
        (fast, yours) if fast == yours => None,
        (Value::Array(fast), Value::Array(yours)) if fast.len() != yours.len() => {
            Some(format!("{at} has {} elements, fast's has {}", yours.len(), fast.len()))
        }
        (Value::Array(fast), Value::Array(yours)) => {
            let mut pairs = fast.iter().zip(yours).enumerate();
            pairs.find_map(|(n, (fast, yours))| difference(&format!("{at}[{n}]"), fast, yours))
        }
        (Value::Object(fast), Value::Object(yours)) => {
            let lacks = fast.iter().find_map(|(key, fast)| match yours.get(key) {
                Some(yours) => difference(&format!("{at}.{key}"), fast, yours),
                None => Some(format!("{at}.{key} is missing")),
            });
            let more = || yours.keys().find(|key| !fast.contains_key(*key));
            lacks.or_else(|| Some(format!("{at}.{} is not in fast's", more()?)))
        }
        (fast, yours) => Some(format!("{at} is {}, fast's is {}", quoted(yours), quoted(fast))),
    }
}

fn quoted(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests;
