//! Result of a variant's load: k6's outcome, counters and profiles.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::{checks::Found, k6};
use crate::{
    evidence::{Evidence, Expected, Frame, ProfileMode, Range, Statistic},
    judge::{
        self, Totals,
        bounds::{self, Measured},
        growth::{self, Grown, Samples},
        spans::Spans,
    },
};
use observe::{
    cost::Counter,
    measurements::{Figures, Summary},
    profiles::FrameReader,
};

/// Result of a variant's load.
pub struct Run {
    pub(super) expected: Expected,
    pub(super) outcome: k6::Outcome,
    pub(super) variant: String,
    pub(super) summary: Summary,
    pub(super) spans: Spans,
    /// Metrics before and after, if the evidence has any.
    pub(super) metrics: Option<[Samples; 2]>,
    /// Additions to the totals of the process meanwhile.
    pub(super) totals: Totals,
    pub(super) profiles: Vec<(ProfileMode, FrameReader)>,
    pub(super) symptom_after: Option<Duration>,
    /// Time of the last request; answers may have come for some seconds more.
    pub ended: Instant,
}

impl Run {
    pub fn k6(&self, judge: impl FnOnce(&k6::Outcome) -> Vec<String>) -> Found {
        let k6::Outcome { exit_code, requests, p95_ms, .. } = &self.outcome;
        let crossed: Vec<_> = self.outcome.crossed().into_iter().collect();
        let crossed = if crossed.is_empty() { "none".to_owned() } else { crossed.join(" · ") };
        let text = format!(
            "exit {exit_code}, {requests} requests, p95 {p95_ms:.0} ms, crossed: {crossed}"
        );
        (text, judge(&self.outcome))
    }

    /// Checks the own records of the requests, and the profiles.
    pub fn evidence(&self, evidence: &Evidence) -> Found {
        let failures = judge::counters(&self.expected.counters, &self.summary);
        self.with_the_rest(evidence, failures)
    }

    /// Checks the upper bounds, by which yours is graded.
    pub fn bounds(&self, evidence: &Evidence) -> Found {
        let Self { summary, totals, .. } = self;
        let measured = Measured { summary, totals, requests: self.requests() };
        let failures = bounds::grade(evidence, &bounds::of(evidence), &measured);
        self.with_the_rest(evidence, failures)
    }

    /// Checks that the process did no more than its requests may. Not of slow: its work may be on
    /// whatever thread the defect puts it. None if no range bounds a piece of work, for then the check
    /// could not fail.
    pub fn work(&self) -> Option<Found> {
        let of_total = |(counter, range): (&Counter, &Range)| {
            let is_bounded = counter.row()?.is_count_of_work() && range.max.is_some();
            let total = self.totals.get(counter.name()).filter(|_| is_bounded)?;
            Some(format!("{} {total:.0}", counter.name()))
        };
        let ranges = &self.expected.counters;
        let totals: Vec<_> = ranges.iter().filter_map(of_total).collect();
        let requests = self.requests();
        (!totals.is_empty()).then(|| {
            let text = format!("{} in {requests} requests", totals.join(", "));
            (text, judge::totals(ranges, &self.totals, requests))
        })
    }

    /// Requests of the load. A right answer comes before k6 gives it up, so none is left out.
    fn requests(&self) -> u64 {
        self.summary.count.max(self.outcome.requests)
    }

    /// Growth of the metrics of the evidence.
    pub fn grown(&self) -> Vec<Grown> {
        let Some([before, after]) = &self.metrics else { return Vec::new() };
        let of = |metric| growth::of(metric, &self.variant, [before, after], self.requests());
        self.expected.metrics.iter().map(of).collect()
    }

    /// Checks the statuses too, and what the evidence has beside counters.
    fn with_the_rest(&self, evidence: &Evidence, mut failures: Vec<judge::Failure>) -> Found {
        for (status, count) in &self.summary.statuses {
            if !evidence.answer.allows(*status) {
                failures.push(format!("{count} requests were answered with status {status}"));
            }
        }
        let mut texts = vec![figures(&self.expected.counters, &self.summary)];
        texts.extend(self.spans.shown(self.expected.spans));
        failures.extend(self.spans.judge(self.expected.spans));
        let grown = self.grown();
        texts.extend(grown.iter().map(|Grown { metric, by }| format!("{metric} {by:.1}")));
        failures.extend(growth::judge(&self.expected.metrics, &grown, self.requests()));
        for frame in &self.expected.frames {
            let (text, of_frame) = self.frame(frame);
            texts.extend(text);
            failures.extend(of_frame);
        }
        (texts.join(", "), failures)
    }

    fn frame(&self, frame: &Frame) -> (Option<String>, Vec<judge::Failure>) {
        let profile = self.profiles.iter().find(|(mode, _)| *mode == frame.mode);
        let Some((mode, profile)) = profile else {
            return (None, vec![format!("{} was not looked for", frame.function)]);
        };
        let samples = profile.samples(&frame.function);
        let (mode, function) = (mode.name(), short(&frame.function));
        let text = format!("{mode} {function}: {} of {} samples", samples.holding, samples.of_app);
        (Some(text), judge::frame(frame, &samples))
    }

    pub fn symptom_within(&self, limit: f64) -> Found {
        match self.symptom_after {
            Some(after) if after.as_secs_f64() <= limit => {
                (format!("{:.1} s after the start", after.as_secs_f64()), Vec::new())
            }
            _ => (String::new(), vec![format!("the symptom did not show within {limit} s")]),
        }
    }
}

pub(super) fn figures(ranges: &BTreeMap<Counter, Range>, measured: &Summary) -> String {
    let text = |(counter, range): (&Counter, &Range)| {
        let Figures { min, mean, max, .. } = measured.counters.get(counter)?;
        let name = counter.name();
        Some(if range.statistic == Statistic::Mean {
            format!("{name} {min:.0}–{max:.0}, mean {mean:.2}")
        } else if min == max {
            format!("{name} {min:.0}")
        } else {
            format!("{name} {min:.0}–{max:.0}")
        })
    };
    ranges.iter().filter_map(text).collect::<Vec<_>>().join(", ")
}

/// Last two parts of a path: `slow::handler`.
fn short(function: &str) -> &str {
    function.rmatch_indices("::").nth(1).map_or(function, |(at, sep)| &function[at + sep.len()..])
}
