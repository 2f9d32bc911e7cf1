//! The single checks: each sends requests to the server, and returns what it found.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

use super::{
    ServerProcess, VariantRun, changed_rows,
    client::{Answer, Client},
    run::figures,
};
use crate::{
    evidence::{Frame, ProfileMode, Range, WrongFix},
    judge::{self, answers, growth},
    lab::LoadedLab,
};
use futures_util::future::try_join_all;
use serde_json::Value;

/// Interval of the checks for recovery.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Recovery limit of labs that set none.
const RECOVERY_LIMIT: Duration = Duration::from_secs(60);
/// The same for a lab that exhausts what all others need as well.
const RELEASED_WITHIN: Duration = Duration::from_secs(6);
/// Fewest requests to each wrong fix.
const WRONG_FIX_REQUESTS: usize = 2;

/// End of an attempt before its last step.
#[derive(Debug)]
pub enum Stop {
    /// A failure after which later steps could not be trusted.
    Failed(String),
    /// The machine stood still, so the run says nothing.
    Invalid(String),
}

impl From<String> for Stop {
    fn from(reason: String) -> Self {
        Self::Failed(reason)
    }
}

/// Text for the table, and the reasons that the step fails, if any.
pub type Found = (String, Vec<judge::Failure>);

/// The lab to prove, on its own server.
pub struct Subject<'a> {
    pub loaded: &'a LoadedLab,
    pub server: &'a ServerProcess,
    pub client: Client<'a>,
    pub k6: &'a Path,
    pub out: PathBuf,
}

impl Subject<'_> {
    /// Checks before any load that slow's evidence does not hold, for a request to fast.
    ///
    /// Only wall profiles are taken. An idle server uses no CPU, so its CPU profile is empty, and a
    /// check that a frame is not in it could not fail.
    pub async fn clean_start(&self) -> Result<Found, Stop> {
        let slow = &self.loaded.evidence.evidence.slow;
        let before = self.metrics(slow).await?;
        self.client.ask("fast").await?;
        let measured = self.client.measured("fast", SystemTime::UNIX_EPOCH).await?;
        let mut failures = Vec::new();
        if measured.count != 1 {
            failures.push(format!("{} requests of fast were measured, not 1", measured.count));
        }
        if judge::counters(&slow.counters, &measured).is_empty() {
            failures.push("the counters of slow hold of fast before any load".to_owned());
        }
        // What slow must not have says nothing about a server without load.
        let is_minimum = |range: &Range| range.min.is_some_and(|min| min > 0.0);
        let has_minimum =
            |frame: &&Frame| [frame.share, frame.threads].iter().flatten().any(is_minimum);
        if let Some(range) = slow.spans.filter(is_minimum) {
            let spans = self.client.first_spans("fast").await?;
            if spans.figures.is_none() {
                failures.extend(spans.judge(Some(range)));
            } else if spans.judge(Some(range)).is_none() {
                failures.push("the trace of fast has the spans of slow before any load".to_owned());
            }
        }
        if let (Some(before), Some(after)) = (before, self.metrics(slow).await?) {
            for metric in slow.metrics.iter().filter(|metric| is_minimum(&metric.range())) {
                let grown = growth::of(metric, "fast", [&before, &after], 1);
                if metric.range().holds(grown.by) {
                    failures.push(format!("{metric} grows as for slow before any load"));
                }
            }
        }
        let of_wall = |frame: &&Frame| frame.mode == ProfileMode::Wall;
        let frames: Vec<_> = slow.frames.iter().filter(has_minimum).filter(of_wall).collect();
        if !frames.is_empty() {
            let profile = self.client.profile(ProfileMode::Wall, 1).await?;
            for frame in frames {
                failures.extend(judge::clean_frame(frame, &profile.samples(&frame.function)));
            }
        }
        Ok(("no evidence of slow".to_owned(), failures))
    }

    /// Checks that every variant answers with the declared status and the same JSON, and again when
    /// the rows have changed: an answer from before is then a wrong one.
    pub async fn parity(&self, variants: &[&str]) -> Result<Found, Stop> {
        self.client.reset().await?;
        let (first, mut failures) = self.same_answers(variants).await?;
        if failures.is_empty() {
            changed_rows::in_database(self.server.database_url(), self.loaded.lab)
                .await
                .map_err(|e| format!("the rows could not be changed: {e}"))?;
            let (second, then) = self.same_answers(variants).await?;
            failures.extend(then.into_iter().map(|f| format!("after a change of the rows, {f}")));
            if failures.is_empty() && second.iter().all(|answer| first.contains(answer)) {
                failures.push(format!(
                    "{} answers as before when rows have changed, so a constant answer would pass; \
                     if its rows are the lab's own, `change` of its `data` must change them",
                    variants.join(" = ")
                ));
            }
        }
        Ok((format!("{}, also when rows have changed", variants.join(" = ")), failures))
    }

    /// Asks the variants, as often as it takes to see each status; returns the answers of
    /// the first, and what differs from them.
    async fn same_answers(
        &self,
        variants: &[&str],
    ) -> Result<(Vec<Value>, Vec<judge::Failure>), Stop> {
        let (mut answers, mut failures) = (Vec::new(), Vec::new());
        for _ in 0..self.loaded.evidence.answer.requests {
            let (answer, differences) = self.same_answer(variants).await?;
            answers.extend(answer);
            failures.extend(differences);
        }
        Ok((answers, failures))
    }

    /// Asks every variant once; returns the first answer, and what differs from it.
    async fn same_answer(
        &self,
        variants: &[&str],
    ) -> Result<(Option<Value>, Vec<judge::Failure>), Stop> {
        let mut failures = Vec::new();
        let mut first: Option<(&str, u16, Value)> = None;
        // They don't wait for each other: a slow one may take seconds.
        let asked = try_join_all(variants.iter().map(|variant| self.client.ask(variant))).await?;
        for (variant, Answer { status, body, trace }) in variants.iter().zip(asked) {
            if !self.loaded.evidence.answer.allows(status) {
                let panic = self.server.last_panic().filter(|_| status == 500);
                let panic = panic.map_or_else(String::new, |panic| format!(": {panic}"));
                failures
                    .push(format!("{variant} answered with status {status}, trace {trace}{panic}"));
            }
            let Some((other, of_other, expected)) = &first else {
                first = Some((variant, status, body));
                continue;
            };
            let difference = answers::other_status(*of_other, status);
            if let Some(difference) = difference.or_else(|| answers::difference(expected, &body)) {
                failures.push(format!(
                    "{variant} answers otherwise than {other}, trace {trace}: {difference}"
                ));
            }
        }
        Ok((first.map(|(_, _, body)| body), failures))
    }

    /// Checks that every variant refuses what the lab says. None if it says nothing.
    pub async fn refusals(&self, variants: &[&str]) -> Result<Option<Found>, Stop> {
        let requests = self.loaded.evidence.refusals.len();
        let failures = self.client.not_refused(variants).await?;
        let text = format!("{requests} requests to each of {}", variants.join(", "));
        Ok((requests > 0).then_some((text, failures)))
    }

    /// Measures the time from the end of the slow load until a new fast request is back in its
    /// range. It is an upper bound, because k6 has to end first.
    pub async fn recovery(&self, load_ended: Instant) -> Result<Found, Stop> {
        let evidence = &self.loaded.evidence;
        let unset = evidence.exhausts.map_or(RECOVERY_LIMIT, |_| RELEASED_WITHIN);
        let limit = evidence
            .recovery
            .map_or(unset, |limits| Duration::from_secs_f64(limits.recovered_within));
        loop {
            let since = SystemTime::now();
            let Answer { status, trace, .. } = self.client.ask("fast").await?;
            let measured = self.client.measured("fast", since).await?;
            let failures = judge::counters(&evidence.evidence.fast.counters, &measured);
            let after = load_ended.elapsed();
            let is_back = failures.is_empty() && evidence.answer.allows(status);
            if is_back && after <= limit {
                return Ok((
                    format!("{:.1} s after the last request", after.as_secs_f64()),
                    Vec::new(),
                ));
            }
            if after > limit {
                let failure = format!(
                    "fast is not back in its range {limit:?} after the load, trace {trace}"
                );
                return Ok((String::new(), [vec![failure], failures].concat()));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Checks that a wrong fix answers correctly, and that its numbers refute it.
    pub async fn wrong_fix(&self, fix: &WrongFix) -> Result<(Found, VariantRun), Stop> {
        self.client.reset().await?;
        let since = SystemTime::now();
        let answer = &self.loaded.evidence.answer;
        let mut right = self.client.ask("fast").await?;
        let mut failures = Vec::new();
        for n in 0..WRONG_FIX_REQUESTS.max(answer.requests) {
            // Both meet the same, request by request.
            if (1..answer.requests).contains(&n) {
                right = self.client.ask("fast").await?;
            }
            let Answer { status, body, trace } = self.client.ask(&fix.name).await?;
            if !answer.allows(status) {
                failures.push(format!("it answered with status {status}, trace {trace}"));
            }
            let difference = answers::other_status(right.status, status);
            if let Some(difference) = difference.or_else(|| answers::difference(&right.body, &body))
            {
                failures
                    .push(format!("it answers otherwise than fast, trace {trace}: {difference}"));
            }
        }
        let measured = self.client.measured(&fix.name, since).await?;
        let fast = &self.loaded.evidence.evidence.fast;
        failures.extend(judge::refuted(&fix.refuted_by, fast, &measured));
        let found = (figures(&fix.refuted_by, &measured), failures);
        let run = VariantRun {
            variant: fix.name.clone(),
            summary: measured,
            spans: self.client.spans(&fix.name, since).await?,
            grown: Vec::new(),
            k6: None,
        };
        Ok((found, run))
    }
}
