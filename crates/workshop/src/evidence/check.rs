//! Refuses a lab.json that parses but is useless: an empty text, a load that sends nothing, a gate
//! or a range that no number can meet, or that every number meets.

use std::collections::{BTreeMap, BTreeSet};

use super::{Answer, Evidence, Expected, Gate, Profile, Range, Sides, needs::check_settings};
use observe::cost::Counter;

/// Thresholds that k6/lab.js sets itself.
const RUNNERS_OWN: [&str; 2] = ["checks", "http_reqs"];

impl Evidence {
    pub(super) fn check(&self, id: &str) -> Result<(), String> {
        let texts =
            [("title", &self.title), ("question", &self.question), ("origin", &self.origin)];
        for (key, text) in texts {
            ensure(!text.trim().is_empty(), || format!("{key} is empty; it needs a text"))?;
        }
        ensure(self.order > 0, || "order is 0; the first lab of an area has 1".to_owned())?;
        ensure(!self.hints.is_empty(), || "hints is empty; it needs a hint or more".to_owned())?;
        for (place, hint) in self.hints.iter().enumerate() {
            ensure(!hint.trim().is_empty(), || format!("hints[{place}] is empty"))?;
        }
        self.request.check(id)?;
        self.answer.check()?;
        for (place, refusal) in self.refusals.iter().enumerate() {
            let checked = refusal.check(&self.request, &self.answer);
            checked.map_err(|reason| format!("refusals[{place}]: {reason}"))?;
        }
        check_settings(&self.settings)?;
        self.load.proof.check("load.proof")?;
        self.load.stage.check("load.stage")?;
        ensure(self.load.proof.seconds() <= 10, || {
            "load.proof takes over 10 s; 10 is the most".to_owned()
        })?;
        self.gate.check(&self.answer)?;
        let Sides { slow, fast } = &self.evidence;
        for (side, expected, other, of_other) in
            [("slow", slow, "fast", fast), ("fast", fast, "slow", slow)]
        {
            let checked = expected.check().and_then(|()| {
                expected.metrics.iter().try_for_each(|metric| {
                    let checked = metric.check(&of_other.metrics, &format!("{other}.metrics"));
                    checked.map_err(|reason| format!("metrics.{}: {reason}", metric.metric))
                })
            });
            checked.map_err(|reason| format!("evidence.{side}.{reason}"))?;
        }
        let variants: BTreeSet<_> = self.variants().collect();
        ensure(variants.len() == self.variants().count(), || {
            "wrong_fixes: a name stands twice, or is slow, fast or yours".to_owned()
        })?;
        for fix in &self.wrong_fixes {
            let is_slug = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            ensure(!fix.name.is_empty() && fix.name.bytes().all(is_slug), || {
                format!("wrong_fixes: {:?} can't be a path; it has a-z, 0-9 and hyphens", fix.name)
            })?;
            ensure(!fix.refuted_by.is_empty(), || {
                format!("wrong_fixes.{}.refuted_by is empty; it needs a counter or more", fix.name)
            })?;
            for counter in fix.refuted_by.keys() {
                ensure(self.evidence.fast.counters.contains_key(counter), || {
                    format!("wrong_fixes.{}: {counter:?} has no range for fast", fix.name)
                })?;
            }
            check_ranges(&fix.refuted_by).map_err(|e| format!("wrong_fixes.{}.{e}", fix.name))?;
        }
        Ok(())
    }
}

pub(super) fn ensure(condition: bool, reason: impl FnOnce() -> String) -> Result<(), String> {
    if condition { Ok(()) } else { Err(reason()) }
}

fn check_ranges(ranges: &BTreeMap<Counter, Range>) -> Result<(), String> {
    ranges.iter().try_for_each(|(counter, range)| {
        let most = if *counter == Counter::BlockedShare { 1.0 } else { f64::INFINITY };
        range.check(most).map_err(|reason| format!("{counter:?}: {reason}"))
    })
}

impl Profile {
    /// Duration of the load, without the graceful stop.
    pub fn seconds(&self) -> u32 {
        match self {
            Self::ConstantArrivalRate { duration, .. } => *duration,
            Self::RampingVus { stages, .. } => stages.iter().map(|s| s.duration).sum(),
        }
    }

    /// Most requests under way at once, so most that the end of the load can cut off.
    pub fn most_at_once(&self) -> u32 {
        match self {
            Self::ConstantArrivalRate { max_vus, .. } => *max_vus,
            Self::RampingVus { stages, .. } => stages.iter().map(|s| s.target).max().unwrap_or(0),
        }
    }

    /// The load for people: `30 requests per second for 6 s`.
    pub fn in_words(&self) -> String {
        let seconds = self.seconds();
        match self {
            Self::ConstantArrivalRate { rate, .. } => {
                let s = if *rate == 1 { "" } else { "s" };
                format!("{rate} request{s} per second for {seconds} s")
            }
            Self::RampingVus { .. } => {
                format!("up to {} users for {seconds} s", self.most_at_once())
            }
        }
    }

    fn check(&self, key: &str) -> Result<(), String> {
        let (is_some_load, min_requests) = match self {
            Self::ConstantArrivalRate { rate, max_vus, min_requests, .. } => {
                (*rate > 0 && *max_vus > 0, *min_requests)
            }
            Self::RampingVus { stages, think_time, min_requests, .. } => {
                (stages.iter().any(|s| s.target > 0) && *think_time >= 0.0, *min_requests)
            }
        };
        ensure(is_some_load && self.seconds() > 0, || {
            format!("{key} sends nothing; it needs users or a rate, and a duration")
        })?;
        ensure(min_requests > 0, || format!("{key}.min_requests must be at least 1"))
    }
}

impl Gate {
    fn check(&self, answer: &Answer) -> Result<(), String> {
        for metric in self.thresholds.keys() {
            ensure(
                !RUNNERS_OWN.contains(&metric.as_str()) && !metric.starts_with("status_"),
                || format!("gate.thresholds.{metric}: remove it; every run has it already"),
            )?;
        }
        ensure(!self.slow_crosses.is_empty(), || {
            "gate.slow_crosses is empty; it needs one of the thresholds or more".to_owned()
        })?;
        let all: BTreeSet<_> = self.with_statuses(answer).collect();
        for named in &self.slow_crosses {
            ensure(all.contains(named), || {
                let all: Vec<_> = all.iter().map(String::as_str).collect();
                let all = all.join(", ");
                format!("gate.slow_crosses: {named:?} is not among the thresholds: {all}")
            })?;
        }
        Ok(())
    }
}

impl Expected {
    fn check(&self) -> Result<(), String> {
        ensure(!self.counters.is_empty(), || {
            "counters is empty; it needs a range or more".to_owned()
        })?;
        check_ranges(&self.counters).map_err(|e| format!("counters.{e}"))?;
        for frame in &self.frames {
            let name = &frame.function;
            ensure(!name.is_empty(), || "frames: a function has no name".to_owned())?;
            ensure(frame.share.is_some() || frame.threads.is_some(), || {
                format!("frames.{name}: neither share nor threads is bounded")
            })?;
            for (range, most) in [(frame.share, 1.0), (frame.threads, f64::INFINITY)] {
                let checked = range.map_or(Ok(()), |range| range.check(most));
                checked.map_err(|reason| format!("frames.{name}: {reason}"))?;
            }
        }
        let spans = self.spans.map_or(Ok(()), |range| range.check(f64::INFINITY));
        spans.map_err(|reason| format!("spans: {reason}"))
    }
}

impl Range {
    /// Refuses a range that holds no number from 0 to `most`, or all of them.
    pub(super) fn check(&self, most: f64) -> Result<(), String> {
        let (min, max) = (self.min.unwrap_or(0.0), self.max.unwrap_or(most));
        ensure(self.min.is_some() || self.max.is_some(), || {
            "the range has no ends; it needs min or max".to_owned()
        })?;
        ensure(min >= 0.0 && min <= most && max >= min, || {
            format!("the range {self} is impossible")
        })?;
        ensure(min > 0.0 || max < most, || format!("nothing can be outside of the range {self}"))
    }
}
