//! Counts that the audience guesses from, before the race shows them.

use std::collections::BTreeSet;

use observe::cost::{Counter, row::Unit};
use workshop::evidence::Evidence;

/// Counts to guess from, beside those that tell slow from fast.
const OTHERS: [Counter; 6] = [
    Counter::Queries,
    Counter::Rows,
    Counter::Switches,
    Counter::UpstreamCalls,
    Counter::Hashes,
    Counter::Commits,
];

/// Most counts to choose from: more are not read in a minute.
const MOST: usize = 6;

/// Counts in which slow and fast can't be mistaken for each other, by the lab's evidence.
pub fn telling(evidence: &Evidence) -> Vec<&'static str> {
    let sides = &evidence.evidence;
    let differs = |counter: &Counter| {
        let (slow, fast) = (sides.slow.counters.get(counter), sides.fast.counters.get(counter));
        let is_apart = |least: Option<f64>, most: Option<f64>| least > most && most.is_some();
        match (slow, fast) {
            (Some(slow), Some(fast)) => {
                is_apart(slow.min, fast.max) || is_apart(fast.min, slow.max)
            }
            _ => false,
        }
    };
    let counters = sides.slow.counters.keys();
    counters.filter(|counter| is_count(**counter) && differs(counter)).map(|c| c.name()).collect()
}

/// Counts to choose from, in the order of the table, each with its meaning.
pub fn choices(evidence: &Evidence) -> Vec<(&'static str, &'static str)> {
    let telling = telling(evidence);
    let known: BTreeSet<&str> = telling.iter().copied().collect();
    let others = OTHERS.into_iter().filter(|other| !known.contains(other.name()));
    let room = MOST.saturating_sub(telling.len());
    let mut all: Vec<_> = evidence.evidence.slow.counters.keys().copied().collect();
    all.retain(|counter| known.contains(counter.name()));
    all.extend(others.take(room));
    all.sort_unstable();
    all.into_iter().filter_map(|counter| Some((counter.name(), counter.row()?.help))).collect()
}

fn is_count(counter: Counter) -> bool {
    counter.row().is_some_and(|row| row.unit == Unit::Count)
}
