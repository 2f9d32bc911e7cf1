//! Upper bounds that one request must hold, from the gate and from fast's evidence.

use std::collections::BTreeMap;

use crate::evidence::{Evidence, Range};
use observe::cost::{Counter, row::Unit};

/// Upper bounds by counter. Counts are the same on any machine; times are only an indication.
#[derive(Debug, Clone, PartialEq)]
pub struct Bounds {
    pub counts: BTreeMap<Counter, f64>,
    pub times: BTreeMap<Counter, f64>,
    /// True if slow breaks one of the counts, so that one request tells slow from a fix.
    pub decide: bool,
}

impl Bounds {
    /// Bounds of a lab. Where the gate bounds a count, its bound is used: the evidence of fast may
    /// be exact, and a right fix need not be fast's.
    pub fn of(evidence: &Evidence) -> Self {
        let (slow, fast) = (&evidence.evidence.slow.counters, &evidence.evidence.fast.counters);
        let known = || Counter::ALL.iter().chain(fast.keys()).chain(slow.keys()).copied();
        let mut counts = BTreeMap::new();
        for (metric, expressions) in &evidence.gate.thresholds {
            let of_metric = |counter: &Counter| {
                is(*counter, Unit::Count)
                    && counter.row().is_some_and(|row| row.names.trend == metric)
            };
            let Some(counter) = known().find(of_metric) else { continue };
            let most = expressions.iter().filter_map(|expression| most(expression));
            counts.extend(most.reduce(f64::min).map(|most| (counter, most)));
        }
        let mut times = BTreeMap::new();
        for (counter, Range { max, .. }) in fast {
            let Some(max) = *max else { continue };
            if is(*counter, Unit::Count) {
                counts.entry(*counter).or_insert(max);
            } else {
                times.insert(*counter, max);
            }
        }
        counts.retain(|counter, _| counter.is_measured());
        times.retain(|counter, _| counter.is_measured());
        let breaks = |(counter, most): (&Counter, &f64)| {
            slow.get(counter).and_then(|range| range.min).is_some_and(|min| min > *most)
        };
        let decide = counts.iter().any(breaks);
        Self { counts, times, decide }
    }
}

fn is(counter: Counter, unit: Unit) -> bool {
    counter.row().is_some_and(|row| row.unit == unit)
}

/// Greatest count that holds a threshold of k6, such as `max<=5`; None if it bounds nothing from
/// above, as `count>10`.
fn most(expression: &str) -> Option<f64> {
    let (aggregate, bound) = expression.split_once('<')?;
    let aggregate = aggregate.trim();
    let is_of_requests = ["max", "avg", "med"].contains(&aggregate) || aggregate.starts_with("p(");
    let most = match bound.strip_prefix('=') {
        Some(most) => most.trim().parse().ok()?,
        None => bound.trim().parse::<f64>().ok()?.ceil() - 1.0,
    };
    is_of_requests.then_some(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_bounds_a_count_from_above_or_not_at_all() {
        for (expression, bound) in [
            ("max<=5", Some(5.0)),
            ("max<5", Some(4.0)),
            ("max < 4.5", Some(4.0)),
            ("p(95)<=20", Some(20.0)),
            ("avg<= 2", Some(2.0)),
            ("count<5", None),
            ("rate==1", None),
            ("max>5", None),
        ] {
            assert_eq!(most(expression), bound, "{expression}");
        }
    }
}
