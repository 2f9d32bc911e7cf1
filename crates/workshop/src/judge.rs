//! Compares measurements with lab.json. Pure functions: numbers in, failures out.

use std::collections::BTreeMap;

use crate::evidence::{Expected, Frame, Range, Statistic};
use observe::{
    cost::{Counter, row::Row},
    measurements::{Figures, Summary},
    profiles::FrameSamples,
};

/// Differences between two answers, in words.
pub mod answers;
/// Upper bounds, by which yours is graded.
pub mod bounds;
/// Labs whose symptoms can't be told apart.
pub mod confusion;
/// Growth of metrics during a run.
pub mod growth;
/// Known numbers that measured ones look like.
pub mod likeness;
/// Spans of the traces of a run.
pub mod spans;

/// Reason that evidence doesn't hold, as text for people.
pub type Failure = String;

const NO_REQUEST: &str = "no request was measured";

/// Reason that measurements say nothing, if they say nothing.
fn unusable(measured: &Summary) -> Option<Failure> {
    let reason = if measured.count == 0 {
        NO_REQUEST
    } else if measured.is_partial {
        "there were more requests than are kept, so some were not looked at"
    } else {
        return None;
    };
    Some(reason.to_owned())
}

/// Checks that the measured requests are in every range.
pub fn counters(ranges: &BTreeMap<Counter, Range>, measured: &Summary) -> Vec<Failure> {
    if let Some(reason) = unusable(measured) {
        return vec![reason];
    }
    let judge = |(counter, range): (&Counter, &Range)| {
        let Some(figures) = measured.counters.get(counter) else {
            // A counter that this system can't measure proves nothing, for or against.
            return counter.is_measured().then(|| format!("{} was not measured", counter.name()));
        };
        (!range.holds_all(figures)).then(|| {
            let Figures { min, mean, p90, max } = figures;
            format!(
                "{} should be {range}, measured {min:.3} to {max:.3}, mean {mean:.3}, p90 {p90:.3}, in {} requests",
                counter.name(),
                measured.count
            )
        })
    };
    ranges.iter().filter_map(judge).collect()
}

/// Totals of a process by counter, as in JSON.
pub type Totals = BTreeMap<String, f64>;

/// Part of a total that is left to the server's own work, such as its row for health checks.
const OWN_WORK: f64 = 0.05;
/// The same for loads of few requests: old log lines are deleted once a minute, revoked tokens every
/// ten minutes, and each of these may fall into a load.
const OWN_WORK_AT_LEAST: f64 = 2.0;

pub fn difference(before: &Totals, after: &Totals) -> Totals {
    let since = |name: &String| before.get(name).copied().unwrap_or(0.0);
    after.iter().map(|(name, total)| (name.clone(), total - since(name))).collect()
}

/// True if the only change between two readings is in what no request does: times, and what the
/// kernel counts of threads.
pub fn is_at_rest(before: &Totals, after: &Totals) -> bool {
    let is_work = |counter: &&Counter| counter.row().is_some_and(Row::is_count_of_work);
    let mut work = Counter::ALL.iter().filter(is_work).map(|counter| counter.name());
    work.all(|name| before.get(name) == after.get(name))
}

/// Total of a counted work that these requests may have, if each may have `most`.
fn allowed(most: f64, requests: u64) -> f64 {
    most * requests as f64 * (1.0 + OWN_WORK) + OWN_WORK_AT_LEAST
}

/// Checks that the whole process did no more than these requests may: what a request leaves to a
/// task that nobody waits for is not on its own record. Only counts are compared, for threads also
/// use time and switch when they wait for requests.
pub fn totals(ranges: &BTreeMap<Counter, Range>, totals: &Totals, requests: u64) -> Vec<Failure> {
    let judge = |(counter, range): (&Counter, &Range)| {
        let most = range.max.filter(|_| counter.row().is_some_and(Row::is_count_of_work))?;
        let total = *totals.get(counter.name())?;
        let allowed = allowed(most, requests);
        (total > allowed).then(|| {
            let name = counter.name();
            format!("{name} of the whole process are {total:.0}, {requests} requests may have {allowed:.0}")
        })
    };
    ranges.iter().filter_map(judge).collect()
}

/// Fewest samples that give a meaningful share.
const ENOUGH_SAMPLES: u64 = 10;

/// Reason that a profile says nothing about the share of a frame, if it says nothing.
fn too_few(expected: &Frame, measured: &FrameSamples) -> Option<Failure> {
    let is_enough = expected.share.is_none() || measured.of_app >= ENOUGH_SAMPLES;
    let (mode, of_app) = (expected.mode.name(), measured.of_app);
    (!is_enough)
        .then(|| format!("{mode} profile: {of_app} samples of app threads are too few to tell"))
}

/// Checks that a profile before any load does not have a frame of slow. Too few samples are a
/// failure: an empty profile has no frame either, and would be clean whatever the server does.
pub fn clean_frame(of_slow: &Frame, measured: &FrameSamples) -> Vec<Failure> {
    if let Some(reason) = too_few(of_slow, measured) {
        return vec![reason];
    }
    let shows = frame(of_slow, measured).is_empty();
    let found = || format!("{} is in a profile before any load", of_slow.function);
    shows.then(found).into_iter().collect()
}

pub fn frame(expected: &Frame, measured: &FrameSamples) -> Vec<Failure> {
    let mode = expected.mode.name();
    if let Some(reason) = too_few(expected, measured) {
        return vec![reason];
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
        .map(|counter| counter.name())
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
            Statistic::Mean => self.holds(figures.mean),
        }
    }
}

#[cfg(test)]
mod tests;
