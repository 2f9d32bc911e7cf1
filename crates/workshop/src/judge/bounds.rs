//! Upper bounds, by which yours is graded: another right answer may be better than fast, or worse
//! where the gate allows it, and only fast's own evidence is exact.

use std::collections::BTreeSet;

use super::{Failure, NO_REQUEST, Totals, allowed, likeness, unusable};
use crate::evidence::{Evidence, Expected, Frame, Metric, Range, Statistic};
use observe::{
    cost::{
        Counter,
        row::{Row, Unit},
    },
    measurements::{Figures, Summary},
};

/// Most that a request of yours may have of one counter, or all of them on average.
#[derive(Debug, PartialEq)]
pub struct Bound {
    pub counter: Counter,
    pub limit: f64,
    statistic: Statistic,
    /// Place of the limit in lab.json, for people.
    origin: String,
}

/// Numbers of a load on yours.
pub struct Measured<'a> {
    /// Own records of the requests.
    pub summary: &'a Summary,
    /// Additions to the totals of the process meanwhile.
    pub totals: &'a Totals,
    /// Requests of the load, by which totals are divided.
    pub requests: u64,
}

/// Bounds of a lab: the upper ends of fast's ranges, or the gate's count where it allows more. A
/// count that only the gate has is a bound too, for k6 sees no more than a request's own record.
pub fn of(evidence: &Evidence) -> Vec<Bound> {
    let fast = &evidence.evidence.fast.counters;
    let known: BTreeSet<_> = Counter::ALL.iter().chain(fast.keys()).copied().collect();
    let of_counter = |counter| {
        [Of::Each, Of::Mean].into_iter().filter_map(move |of| bound(evidence, counter, of))
    };
    known.into_iter().flat_map(of_counter).collect()
}

/// Subject of a bound: one counter may have both.
#[derive(Clone, Copy, PartialEq)]
enum Of {
    Each,
    Mean,
}

fn bound(evidence: &Evidence, counter: Counter, of: Of) -> Option<Bound> {
    let range = evidence.evidence.fast.counters.get(&counter);
    let range = range.filter(|range| (range.statistic == Statistic::Mean) == (of == Of::Mean));
    let of_fast = range.and_then(|range| Some((range.max?, range.statistic)));
    let is_in_fast = |limit: f64| of_fast.is_some_and(|(max, _)| limit <= max);
    let of_gate = gate(evidence, counter.row()?, of).filter(|(limit, _)| !is_in_fast(*limit));
    let (limit, statistic, origin) = match (of_gate, of_fast) {
        (Some((limit, text)), _) => {
            let statistic = if of == Of::Mean { Statistic::Mean } else { Statistic::Every };
            (limit, statistic, format!("gate {text}"))
        }
        (None, Some((max, statistic))) => (max, statistic, "evidence of fast".to_owned()),
        (None, None) => return None,
    };
    Some(Bound { counter, statistic, limit, origin })
}

/// Strictest count of the gate for a counter, with its text: `max<=5` or `max<6`, and of the mean
/// `avg<=5`.
fn gate(evidence: &Evidence, row: &Row, of: Of) -> Option<(f64, String)> {
    let aggregation = if of == Of::Mean { "avg<" } else { "max<" };
    let trend = row.names.trend;
    let expressions = evidence.gate.thresholds.get(trend).filter(|_| row.unit == Unit::Count)?;
    let limits = expressions.iter().filter_map(|expression| {
        let text = format!("{trend}: {expression}");
        let limit = expression.replace(' ', "");
        let limit = limit.strip_prefix(aggregation)?;
        let limit = match limit.strip_prefix('=') {
            Some(limit) => limit.parse().ok()?,
            None => limit.parse::<f64>().ok()?.next_down(),
        };
        Some((limit, text))
    });
    limits.min_by(|(a, _), (b, _)| f64::total_cmp(a, b))
}

/// Checks every bound. If one is crossed, the last line says whose numbers these look like.
pub fn grade(evidence: &Evidence, bounds: &[Bound], measured: &Measured<'_>) -> Vec<Failure> {
    if measured.requests == 0 {
        return vec![NO_REQUEST.to_owned()];
    }
    if let Some(reason) = unusable(measured.summary) {
        return vec![reason];
    }
    let mut failures: Vec<_> = bounds.iter().filter_map(|bound| bound.judge(measured)).collect();
    if !failures.is_empty() {
        let views = [measured.summary.clone(), measured.with_totals()];
        failures.extend(likeness::of(evidence, &views));
    }
    failures
}

impl Bound {
    /// True of a count, which is the same on any machine; times and shares are not.
    pub fn is_count(&self) -> bool {
        self.counter.row().is_some_and(|row| row.unit == Unit::Count)
    }

    /// True if a few requests can't tell: a mean is that of a load.
    pub fn needs_load(&self) -> bool {
        self.statistic == Statistic::Mean
    }

    fn judge(&self, measured: &Measured<'_>) -> Option<Failure> {
        let name = self.counter.name();
        let Self { limit, origin, .. } = self;
        let own = measured.summary.counters.get(&self.counter);
        if let Some(total) = measured.total_of_work(self.counter)
            && total > allowed(*limit, measured.requests)
        {
            let each = total / measured.requests as f64;
            let on_record = own.map_or(0.0, |figures| figures.mean);
            let hidden = if on_record < each * 0.9 {
                format!(
                    "; the request's own record has {}, so a task or a thread beside it does the rest",
                    shown(on_record)
                )
            } else {
                String::new()
            };
            let each = shown(each);
            return Some(format!(
                "{name}: {each} for each request, at most {limit} ({origin}){hidden}"
            ));
        }
        // The server's own work is on no request's record, so here nothing is left to it.
        let Some(figures) = own else {
            return self.counter.is_measured().then(|| format!("{name} was not measured"));
        };
        let (value, of) = match self.statistic {
            Statistic::Every => (figures.max, "one request"),
            Statistic::P90 => (figures.p90, "one of ten requests"),
            Statistic::Mean => (figures.mean, "a request on average"),
        };
        (value > *limit)
            .then(|| format!("{name}: {} in {of}, at most {limit} ({origin})", shown(value)))
    }
}

impl Measured<'_> {
    /// Total of counted work, whoever did it; None for what only a request's own record tells.
    fn total_of_work(&self, counter: Counter) -> Option<f64> {
        counter.row().filter(|row| row.is_count_of_work())?;
        self.totals.get(counter.name()).copied()
    }

    /// The summary as if each request had done its part of the process's work itself.
    fn with_totals(&self) -> Summary {
        let mut summary = self.summary.clone();
        for (counter, figures) in &mut summary.counters {
            if let Some(total) = self.total_of_work(*counter) {
                // Rounded, because the server's own work is in it too.
                let each = (total / self.requests as f64).round();
                *figures = Figures { min: each, mean: each, p90: each, max: each };
            }
        }
        summary
    }
}

/// What bounds yours beside the counters: upper ends of fast's frames, spans and metrics.
pub fn expected(fast: &Expected) -> Expected {
    let metrics = fast.metrics.iter().filter(|metric| metric.max.is_some());
    Expected {
        counters: fast.counters.clone(),
        frames: frames(&fast.frames),
        spans: upper(fast.spans),
        metrics: metrics.map(|metric| Metric { min: None, ..metric.clone() }).collect(),
    }
}

fn upper(range: Option<Range>) -> Option<Range> {
    range.filter(|range| range.max.is_some()).map(|range| Range { min: None, ..range })
}

/// Frames of fast that bound yours: their upper ends.
pub fn frames(of_fast: &[Frame]) -> Vec<Frame> {
    let bound = |frame: &Frame| {
        let (share, threads) = (upper(frame.share), upper(frame.threads));
        Frame { share, threads, ..frame.clone() }
    };
    let is_bound = |frame: &Frame| frame.share.is_some() || frame.threads.is_some();
    of_fast.iter().map(bound).filter(is_bound).collect()
}

/// A number for people: whole if it is whole.
fn shown(value: f64) -> String {
    if (value - value.round()).abs() < 0.05 { format!("{value:.0}") } else { format!("{value:.1}") }
}
