//! Compares measurements with lab.json. Pure functions: numbers in, failures out.

use std::collections::BTreeMap;

use crate::evidence::{Expected, Frame, Range, Statistic};
use observe::{
    cost::Counter,
    measurements::{Figures, Summary},
    profiles::FrameSamples,
};

/// Reason that evidence doesn't hold, as text for people.
pub type Failure = String;

/// Checks that the measured requests are in every range.
pub fn counters(ranges: &BTreeMap<Counter, Range>, measured: &Summary) -> Vec<Failure> {
    if measured.count == 0 {
        return vec!["no request was measured".to_owned()];
    }
    if measured.is_partial {
        return vec![
            "there were more requests than are kept, so some were not looked at".to_owned(),
        ];
    }
    let judge = |(counter, range): (&Counter, &Range)| {
        let Some(figures) = measured.counters.get(counter) else {
            // A counter that this system can't measure proves nothing, for or against.
            return counter.is_measured().then(|| format!("{} was not measured", name(*counter)));
        };
        (!range.holds_all(figures)).then(|| {
            let Figures { min, mean, p90, max } = figures;
            format!(
                "{} should be {range}, measured {min:.3} to {max:.3}, mean {mean:.3}, p90 {p90:.3}, in {} requests",
                name(*counter),
                measured.count
            )
        })
    };
    ranges.iter().filter_map(judge).collect()
}

/// Name of the counter in lab.json.
pub fn name(counter: Counter) -> String {
    let json = serde_json::to_string(&counter).unwrap_or_default();
    json.trim_matches('"').to_owned()
}

/// Fewest samples that give a meaningful share.
const ENOUGH_SAMPLES: u64 = 10;

pub fn frame(expected: &Frame, measured: &FrameSamples) -> Vec<Failure> {
    let mode = expected.mode.name();
    if expected.share.is_some() && measured.of_app < ENOUGH_SAMPLES {
        let of_app = measured.of_app;
        return vec![format!(
            "{mode} profile: {of_app} samples of app threads are too few to tell"
        )];
    }
    let judge = |what: &str, range: Option<Range>, value: f64| {
        range.filter(|range| !range.holds(value)).map(|range| {
            format!(
                "{mode} profile: {what} of {} should be {range}, measured {value:.3} ({} of {} samples)",
                expected.function, measured.holding, measured.of_app
            )
        })
    };
    [
        judge("share", expected.share, measured.share()),
        judge("threads", expected.threads, measured.threads()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Checks that a wrong fix has the numbers of lab.json, and that these are not fast's.
pub fn refuted(
    refuted_by: &BTreeMap<Counter, Range>,
    fast: &Expected,
    measured: &Summary,
) -> Vec<Failure> {
    let mut failures = counters(refuted_by, measured);
    let holds_fast: Vec<_> = refuted_by
        .keys()
        .filter(|counter| {
            let figures = measured.counters.get(counter);
            let range = fast.counters.get(counter);
            range.is_some_and(|range| figures.is_some_and(|f| range.holds_all(f)))
        })
        .map(|counter| name(*counter))
        .collect();
    if failures.is_empty() && holds_fast.len() == refuted_by.len() {
        failures.push(format!("{} would pass for fast: it refutes nothing", holds_fast.join(", ")));
    }
    failures
}

impl Range {
    pub fn holds(&self, value: f64) -> bool {
        self.min.is_none_or(|min| value >= min) && self.max.is_none_or(|max| value <= max)
    }

    fn holds_all(&self, figures: &Figures) -> bool {
        match self.statistic {
            Statistic::Every => self.holds(figures.min) && self.holds(figures.max),
            Statistic::P90 => self.holds(figures.p90),
        }
    }
}
