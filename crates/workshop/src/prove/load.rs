//! Loads a variant with k6, takes the profiles of its evidence meanwhile, and watches the machine.

use std::time::{Duration, Instant, SystemTime};

use super::{
    checks::{Stop, Subject},
    k6,
    machine::Watch,
    run::Run,
};
use crate::{
    evidence::{Expected, ProfileMode},
    judge::{self, growth::Samples},
};
use observe::profiles::FrameReader;

/// Wait between the start of the load and the profiles, in which slow fills the workers.
const PROFILE_AFTER: Duration = Duration::from_secs(1);
const PROFILE_SECONDS: u32 = 2;
/// Interval of the checks for the symptom.
const LOOK_EVERY: Duration = Duration::from_millis(100);

impl Subject<'_> {
    /// Loads a variant. On a machine that stood still meanwhile the run is invalid, whatever it
    /// would have shown.
    pub async fn load(&self, variant: &str, expected: &Expected) -> Result<Run, Stop> {
        let watch = Watch::start()?;
        let run = self.measure(variant, expected).await;
        match watch.stop().invalid() {
            Some(reason) => Err(Stop::Invalid(format!("{variant}: {reason}"))),
            None => Ok(run?),
        }
    }

    async fn measure(&self, variant: &str, expected: &Expected) -> Result<Run, String> {
        let tokens = self.client.tokens().await?;
        // Every load meets the same data, and the same faults of the upstream.
        self.client.reset().await?;
        // A request that k6 gave up may still run: its work is not this load's.
        let before = self.client.totals_at_rest().await?;
        let metrics = self.metrics(expected).await?;
        let (since, started) = (SystemTime::now(), Instant::now());
        let base_url = self.client.base_url();
        let k6 = k6::run(self.k6, self.loaded, variant, &base_url, tokens, &self.out);
        let profiles = self.profiles(expected);
        let symptom =
            async { Ok::<_, String>(self.symptom(variant, expected, since, started).await) };
        let (outcome, profiles, symptom_after) = tokio::try_join!(k6, profiles, symptom)?;
        let seconds = self.loaded.evidence.load.proof.seconds();
        let ended = started + Duration::from_secs(u64::from(seconds));
        if profiles.iter().any(|(_, _, taken)| *taken > ended) {
            return Err("a profile was still being taken when the load had ended".to_owned());
        }
        // Slow's totals are not judged, and how soon the server recovers is measured from now on.
        let after = match variant {
            "slow" => self.client.totals().await?,
            _ => self.client.totals_at_rest().await?,
        };
        let metrics = match (metrics, self.metrics(expected).await?) {
            (Some(before), Some(after)) => Some([before, after]),
            _ => None,
        };
        // What a flow did beside the request is not the request's.
        let after = judge::difference(&outcome.beside, &after);
        Ok(Run {
            expected: expected.clone(),
            outcome,
            summary: self.client.measured(variant, since).await?,
            spans: self.client.spans(variant, since).await?,
            metrics,
            variant: variant.to_owned(),
            totals: judge::difference(&before, &after),
            profiles: profiles.into_iter().map(|(mode, reader, _)| (mode, reader)).collect(),
            symptom_after,
            ended,
        })
    }

    /// Metrics as they are now, if the evidence has any.
    pub(super) async fn metrics(&self, expected: &Expected) -> Result<Option<Samples>, String> {
        match expected.metrics.is_empty() {
            true => Ok(None),
            false => self.client.metrics().await.map(Some),
        }
    }

    async fn profiles(
        &self,
        expected: &Expected,
    ) -> Result<Vec<(ProfileMode, FrameReader, Instant)>, String> {
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
}
