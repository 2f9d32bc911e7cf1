//! The single checks: each sends requests or loads the server, and returns what it found.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

use super::{
    client::{Answer, Client},
    k6,
    run::{Run, figures},
};
use crate::{
    evidence::{Expected, Frame, ProfileMode, WrongFix},
    judge,
    lab::LoadedLab,
};
use observe::profiles::FrameReader;

/// Wait between the start of the load and the profiles, in which slow fills the workers.
const PROFILE_AFTER: Duration = Duration::from_secs(2);
const PROFILE_SECONDS: u32 = 3;
/// Interval of the checks for symptom and recovery.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Recovery limit of labs that set none.
const RECOVERY_LIMIT: Duration = Duration::from_secs(60);
/// Requests to each wrong fix.
const WRONG_FIX_REQUESTS: usize = 3;

/// A failure that ends the proof of this lab, because later steps could not be trusted.
pub type Fatal = String;

/// Text for the table, and the reasons that the step fails, if any.
pub type Found = (String, Vec<judge::Failure>);

/// The lab to prove, on its own server.
pub struct Subject<'a> {
    pub loaded: &'a LoadedLab,
    pub client: Client<'a>,
    pub k6: &'a Path,
    pub out: PathBuf,
}

impl Subject<'_> {
    /// Checks before any load that slow's evidence does not hold, for a request to fast.
    pub async fn clean_start(&self) -> Result<Found, Fatal> {
        let slow = &self.loaded.evidence.evidence.slow;
        self.client.ask("fast").await?;
        let measured = self.client.measured("fast", SystemTime::UNIX_EPOCH).await?;
        let mut failures = Vec::new();
        if measured.count != 1 {
            failures.push(format!("{} requests of fast were measured, not 1", measured.count));
        }
        if judge::counters(&slow.counters, &measured).is_empty() {
            failures.push("the counters of slow hold of fast before any load".to_owned());
        }
        let has_minimum = |frame: &&Frame| {
            let lower = [frame.share, frame.threads].into_iter().flatten();
            lower.filter_map(|range| range.min).any(|min| min > 0.0)
        };
        for mode in [ProfileMode::Wall, ProfileMode::Cpu] {
            let frames: Vec<_> =
                slow.frames.iter().filter(has_minimum).filter(|f| f.mode == mode).collect();
            if frames.is_empty() {
                continue;
            }
            let profile = self.client.profile(mode, 1).await?;
            for frame in frames {
                if judge::frame(frame, &profile.samples(&frame.function)).is_empty() {
                    failures.push(format!("{} is in a profile before any load", frame.function));
                }
            }
        }
        Ok(("no evidence of slow".to_owned(), failures))
    }

    /// Checks that every variant answers with the declared status and the same JSON.
    pub async fn parity(&self, variants: &[&str]) -> Result<Found, Fatal> {
        let mut failures = Vec::new();
        let mut first: Option<(&str, serde_json::Value)> = None;
        for variant in variants {
            let Answer { status, body, trace } = self.client.ask(variant).await?;
            if status != self.loaded.evidence.request.status {
                failures.push(format!("{variant} answered with status {status}, trace {trace}"));
            }
            match &first {
                Some((other, same)) if *same != body => {
                    failures.push(format!(
                        "{variant} and {other} answer with different JSON, trace {trace}"
                    ));
                }
                Some(_) => {}
                None => first = Some((variant, body)),
            }
        }
        Ok((variants.join(" = "), failures))
    }

    /// Runs k6 against a variant, and takes the profiles of its evidence during the load.
    pub async fn load<'e>(&self, variant: &str, expected: &'e Expected) -> Result<Run<'e>, Fatal> {
        let before = self.client.totals().await?;
        let (since, started) = (SystemTime::now(), Instant::now());
        let base_url = self.client.base_url();
        let k6 = k6::run(self.k6, self.loaded, variant, &base_url, &self.out);
        let profiles = self.profiles(expected);
        let symptom = self.symptom(variant, expected, since, started);
        let (outcome, profiles, symptom_after) = tokio::join!(k6, profiles, symptom);
        let outcome = outcome?;
        let seconds = self.loaded.evidence.load.proof.seconds();
        let ended = started + Duration::from_secs(u64::from(seconds));
        let profiles = profiles?;
        if profiles.iter().any(|(_, _, taken)| *taken > ended) {
            return Err("a profile was still being taken when the load had ended".to_owned());
        }
        Ok(Run {
            expected,
            outcome,
            summary: self.client.measured(variant, since).await?,
            totals: judge::difference(&before, &self.client.totals().await?),
            profiles: profiles.into_iter().map(|(mode, reader, _)| (mode, reader)).collect(),
            symptom_after,
            ended,
        })
    }

    async fn profiles(
        &self,
        expected: &Expected,
    ) -> Result<Vec<(ProfileMode, FrameReader, Instant)>, Fatal> {
        tokio::time::sleep(PROFILE_AFTER).await;
        let mut taken = Vec::new();
        for mode in [ProfileMode::Wall, ProfileMode::Cpu] {
            if expected.frames.iter().any(|frame| frame.mode == mode) {
                // Names are resolved after sampling; the load may have ended by then.
                let sampled = Instant::now() + Duration::from_secs(u64::from(PROFILE_SECONDS));
                let profile = self.client.profile(mode, PROFILE_SECONDS).await?;
                taken.push((mode, profile, sampled));
            }
        }
        Ok(taken)
    }

    /// Time from the start of the load until the counters first hold.
    async fn symptom(
        &self,
        variant: &str,
        expected: &Expected,
        since: SystemTime,
        started: Instant,
    ) -> Option<Duration> {
        self.loaded.evidence.recovery?;
        let seconds = u64::from(self.loaded.evidence.load.proof.seconds());
        while started.elapsed() < Duration::from_secs(seconds) {
            let measured = self.client.measured(variant, since).await.ok()?;
            if judge::counters(&expected.counters, &measured).is_empty() {
                return Some(started.elapsed());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        None
    }

    /// Measures the time from the end of the slow load until a new fast request is back in its
    /// range. It is an upper bound, because k6 has to end first.
    pub async fn recovery(&self, load_ended: Instant) -> Result<Found, Fatal> {
        let evidence = &self.loaded.evidence;
        let limit = evidence
            .recovery
            .map_or(RECOVERY_LIMIT, |limits| Duration::from_secs_f64(limits.recovered_within));
        loop {
            let since = SystemTime::now();
            let Answer { status, trace, .. } = self.client.ask("fast").await?;
            let measured = self.client.measured("fast", since).await?;
            let failures = judge::counters(&evidence.evidence.fast.counters, &measured);
            let after = load_ended.elapsed();
            let is_back = failures.is_empty() && status == evidence.request.status;
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
    pub async fn wrong_fix(&self, fix: &WrongFix) -> Result<Found, Fatal> {
        let since = SystemTime::now();
        let right = self.client.ask("fast").await?;
        let mut failures = Vec::new();
        for _ in 0..WRONG_FIX_REQUESTS {
            let Answer { status, body, trace } = self.client.ask(&fix.name).await?;
            if status != self.loaded.evidence.request.status || body != right.body {
                failures.push(format!(
                    "answers otherwise than fast, with status {status}, trace {trace}"
                ));
            }
        }
        let measured = self.client.measured(&fix.name, since).await?;
        let fast = &self.loaded.evidence.evidence.fast;
        failures.extend(judge::refuted(&fix.refuted_by, fast, &measured));
        Ok((figures(fix.refuted_by.keys(), &measured), failures))
    }
}
