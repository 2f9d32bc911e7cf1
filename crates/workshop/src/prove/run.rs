//! Result of a variant's load: k6's outcome, counters and profiles.

use std::time::{Duration, Instant};

use super::{checks::Found, k6};
use crate::{
    evidence::{Evidence, Expected, ProfileMode},
    judge::{self, Totals},
};
use observe::{cost::Counter, measurements::Summary, profiles::FrameReader};

/// Result of a variant's load.
pub struct Run<'a> {
    pub(super) expected: &'a Expected,
    pub(super) outcome: k6::Outcome,
    pub(super) summary: Summary,
    /// What the process added to its totals meanwhile.
    pub(super) totals: Totals,
    pub(super) profiles: Vec<(ProfileMode, FrameReader)>,
    pub(super) symptom_after: Option<Duration>,
    /// Time of the last request; answers may have come for some seconds more.
    pub ended: Instant,
}

impl Run<'_> {
    pub fn k6(&self, judge: impl FnOnce(&k6::Outcome) -> Vec<String>) -> Found {
        let k6::Outcome { exit_code, requests, p95_ms, .. } = &self.outcome;
        let crossed: Vec<_> = self.outcome.crossed().into_iter().collect();
        let crossed = if crossed.is_empty() { "none".to_owned() } else { crossed.join(" · ") };
        let text = format!(
            "exit {exit_code}, {requests} requests, p95 {p95_ms:.0} ms, crossed: {crossed}"
        );
        (text, judge(&self.outcome))
    }

    pub fn evidence(&self, evidence: &Evidence) -> Found {
        let mut failures = judge::counters(&self.expected.counters, &self.summary);
        let unanswered = evidence.load.proof.most_at_once();
        let requests = self.summary.count + u64::from(unanswered);
        failures.extend(judge::totals(&self.expected.counters, &self.totals, requests));
        for (status, count) in &self.summary.statuses {
            if *status != evidence.request.status {
                failures.push(format!("{count} requests were answered with status {status}"));
            }
        }
        let mut texts = vec![figures(self.expected.counters.keys(), &self.summary)];
        for frame in &self.expected.frames {
            let Some((_, profile)) = self.profiles.iter().find(|(mode, _)| *mode == frame.mode)
            else {
                failures.push(format!("{} was not looked for", frame.function));
                continue;
            };
            let samples = profile.samples(&frame.function);
            failures.extend(judge::frame(frame, &samples));
            texts.push(format!(
                "{} {}: {} of {} samples",
                frame.mode.name(),
                short(&frame.function),
                samples.holding,
                samples.of_app
            ));
        }
        (texts.join(", "), failures)
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

pub(super) fn figures<'c>(
    counters: impl Iterator<Item = &'c Counter>,
    measured: &Summary,
) -> String {
    let text = |counter: &Counter| {
        let figures = measured.counters.get(counter)?;
        let (min, max) = (figures.min, figures.max);
        let name = counter.name();
        Some(if min == max {
            format!("{name} {min:.0}")
        } else {
            format!("{name} {min:.0}–{max:.0}")
        })
    };
    counters.filter_map(text).collect::<Vec<_>>().join(", ")
}

/// Last two parts of a path: `slow::handler`.
fn short(function: &str) -> &str {
    function.rmatch_indices("::").nth(1).map_or(function, |(at, sep)| &function[at + sep.len()..])
}
