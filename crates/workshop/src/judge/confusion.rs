//! Labs whose symptoms can't be told apart: if the slow run of one lab has all the numbers of
//! another lab's slow, a learner who reads them can't say which disease it is.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{counters, spans::Spans};
use crate::evidence::{Area, Expected, Range};
use observe::{cost::Counter, measurements::Summary};

/// Slow run of a lab, and the numbers that its evidence expects of slow.
pub struct SlowRun<'a> {
    pub lab: &'a str,
    pub area: Area,
    pub expected: &'a Expected,
    pub measured: &'a Summary,
    pub spans: &'a Spans,
}

/// Comparison of one lab's slow run with another lab's evidence.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    pub slow_run_of: String,
    pub evidence_of: String,
    /// Counters that tell them apart, and spans; none if the run would pass for the other lab.
    pub told_apart_by: Vec<&'static str>,
}

impl Comparison {
    pub fn is_confused(&self) -> bool {
        self.told_apart_by.is_empty()
    }
}

/// Compares each slow run with the evidence of every other lab of its area.
pub fn compare(runs: &[SlowRun<'_>]) -> Vec<Comparison> {
    let pairs = runs.iter().flat_map(|run| runs.iter().map(move |other| (run, other)));
    pairs
        .filter(|(run, other)| run.area == other.area && run.lab != other.lab)
        .map(|(run, other)| Comparison {
            slow_run_of: run.lab.to_owned(),
            evidence_of: other.lab.to_owned(),
            told_apart_by: told_apart_by(other.expected, run.measured, run.spans),
        })
        .collect()
}

/// Metrics tell nothing apart: those of a lab are labelled with it, or of its own mechanism.
fn told_apart_by(expected: &Expected, measured: &Summary, spans: &Spans) -> Vec<&'static str> {
    let is_outside = |(counter, range): &(&Counter, &Range)| {
        // A counter that the other lab alone has is measured there alone, and tells them apart too.
        !measured.counters.contains_key(*counter)
            || !counters(&BTreeMap::from([(**counter, **range)]), measured).is_empty()
    };
    let counters = expected.counters.iter().filter(is_outside).map(|(counter, _)| counter.name());
    let is_outside = spans.figures.is_some() && spans.judge(expected.spans).is_some();
    counters.chain(is_outside.then_some("spans")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Statistic;
    use observe::measurements::Figures;

    fn at_least(min: f64) -> Range {
        Range { statistic: Statistic::Every, min: Some(min), max: None }
    }

    fn expected(of: &[(Counter, f64)], spans: Option<f64>) -> Expected {
        Expected {
            counters: of.iter().map(|(counter, min)| (*counter, at_least(*min))).collect(),
            frames: Vec::new(),
            spans: spans.map(at_least),
            metrics: Vec::new(),
        }
    }

    fn measured(of: &[(Counter, f64)]) -> Summary {
        let figures = |value| Figures { min: value, mean: value, p90: value, max: value };
        let counters = of.iter().map(|(counter, value)| (*counter, figures(*value))).collect();
        Summary { count: 3, counters, ..Summary::default() }
    }

    #[test]
    fn a_slow_run_that_passes_for_another_lab_of_its_area_is_confused() {
        let n_plus_one = expected(&[(Counter::Queries, 100.0)], None);
        let blocking = expected(&[(Counter::Queries, 100.0), (Counter::Switches, 100.0)], None);
        let spans = Spans::default();
        let of_n_plus_one = measured(&[(Counter::Queries, 201.0), (Counter::Switches, 2.0)]);
        let of_blocking = measured(&[(Counter::Queries, 101.0), (Counter::Switches, 117.0)]);
        let run = |lab, area, expected, measured| SlowRun {
            lab,
            area,
            expected,
            measured,
            spans: &spans,
        };
        let all = compare(&[
            run("n-plus-one", Area::Database, &n_plus_one, &of_n_plus_one),
            run("blocking", Area::Database, &blocking, &of_blocking),
            run("elsewhere", Area::Cache, &n_plus_one, &of_n_plus_one),
        ]);
        assert_eq!(all.len(), 2, "{all:?}");
        assert_eq!(all[0].told_apart_by, ["switches"], "{all:?}");
        // More than another lab's numbers are its numbers too.
        assert!(!all[0].is_confused() && all[1].is_confused(), "{all:?}");
    }

    #[test]
    fn a_counter_that_was_not_measured_tells_apart() {
        let of_other = expected(&[(Counter::Hashes, 1.0)], None);
        let measured = measured(&[(Counter::Queries, 1.0)]);
        assert_eq!(told_apart_by(&of_other, &measured, &Spans::default()), ["hashes"]);
    }

    #[test]
    fn spans_tell_apart_where_there_are_traces() {
        let of_other = expected(&[(Counter::Queries, 1.0)], Some(1_000.0));
        let measured = measured(&[(Counter::Queries, 1.0)]);
        let by = |spans| told_apart_by(&of_other, &measured, &spans);
        assert_eq!(by(Spans::of(vec![3, 3])), ["spans"]);
        assert!(by(Spans::of(vec![1_001])).is_empty());
        assert!(by(Spans::default()).is_empty());
    }
}
