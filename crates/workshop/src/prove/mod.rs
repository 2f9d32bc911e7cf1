//! Proves labs: slow really shows the symptom, and the fix really removes it.
//!
//! Each lab gets a fresh server process with a fresh database. All expectations come from lab.json.

use std::{path::PathBuf, time::Instant};

use serde::Serialize;

use crate::{
    evidence::Area,
    judge::{
        confusion::{self, Comparison, SlowRun},
        growth::Grown,
        spans::Spans,
    },
    lab::{Labs, LoadedLab},
};
use observe::measurements::Summary;

/// Changes the rows that labs read.
pub mod changed_rows;
/// The single checks.
mod checks;
/// Requests to the server that is proven.
pub(crate) mod client;
/// Finds and runs k6, and reads its outcome.
pub mod k6;
/// Loads a variant, and watches.
mod load;
/// Watches the machine during a load.
pub mod machine;
/// Numbers of a run as a section of a lab's README.
pub mod numbers;
/// A server process on free ports.
mod process;
/// The outcome as JSON and JUnit XML.
pub mod report;
/// A variant after its load.
mod run;
/// Services for tests that the caller names.
pub mod services;
/// The steps of a proof, in order.
mod steps;
/// Database and cache of a server.
mod stores;

pub use machine::Repeats;
pub use process::ServerProcess;
pub use services::Services;
pub use stores::Stores;

/// Workers of the server that is proven. A fixed number, so that evidence that counts threads is
/// the same on every machine.
pub const WORKER_THREADS: usize = 2;

pub struct Options {
    pub k6: PathBuf,
    /// Program that serves; normally this one.
    pub server: PathBuf,
    /// Folder for reports, logs and k6's pages.
    pub out: PathBuf,
    pub variants: Variants,
    pub services: Services,
}

/// Scope of the proof of each lab.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Variants {
    /// slow and fast against their own evidence, and the wrong fixes.
    All,
    /// yours against the bounds of fast.
    Yours,
}

/// One step of the proof of one lab.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    pub name: String,
    /// Measurement, for the table.
    pub measured: String,
    /// Empty if the step holds.
    pub failures: Vec<String>,
    pub seconds: f64,
}

/// Numbers of one variant.
#[derive(Debug, Clone, Serialize)]
pub struct VariantRun {
    pub variant: String,
    pub summary: Summary,
    pub spans: Spans,
    /// Growth of the metrics of its evidence.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub grown: Vec<Grown>,
    /// Outcome of k6; None for a variant that was only asked a few times.
    pub k6: Option<k6::Outcome>,
}

/// One attempt at the proof of a lab.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Attempt {
    pub steps: Vec<Step>,
    /// Reason that the run says nothing, if the machine stood still.
    pub invalid: Option<String>,
    pub variants: Vec<VariantRun>,
    /// Database and cache of the server, for people; empty if none was started.
    pub stores: String,
    pub seconds: f64,
}

#[derive(Debug, Clone, Serialize)]
pub struct Proof {
    pub lab: String,
    pub area: Area,
    pub holds: bool,
    /// The attempt that counts: the last.
    #[serde(flatten)]
    pub last: Attempt,
    /// Invalid attempts before it.
    pub repeated: Vec<Attempt>,
}

/// Proves one lab. An invalid attempt is repeated if `repeats` has one left. Reports each step to
/// `progress`.
pub async fn lab(
    loaded: &LoadedLab,
    options: &Options,
    repeats: &mut Repeats,
    progress: &dyn Fn(&str),
) -> Proof {
    let mut repeated = Vec::new();
    let last = loop {
        let started = Instant::now();
        let attempt = steps::run(loaded, options, progress).await;
        let attempt = Attempt { seconds: started.elapsed().as_secs_f64(), ..attempt };
        if !attempt.may_be_repeated() || !repeats.take(repeated.len()) {
            break attempt;
        }
        progress("the machine stood still, once more");
        repeated.push(attempt);
    };
    let (lab, area) = (loaded.lab.id.to_owned(), loaded.evidence.area);
    Proof { lab, area, holds: last.holds(), last, repeated }
}

impl Attempt {
    fn has_failed(&self) -> bool {
        self.steps.iter().any(|step| !step.failures.is_empty())
    }

    fn holds(&self) -> bool {
        self.invalid.is_none() && !self.has_failed()
    }

    /// True if it is invalid and nothing failed before that: a failure counts, whatever comes later.
    fn may_be_repeated(&self) -> bool {
        self.invalid.is_some() && !self.has_failed()
    }
}

/// Compares the slow runs of the proven labs with each other's evidence.
pub fn confusion(labs: &Labs, proofs: &[Proof]) -> Vec<Comparison> {
    let runs: Vec<_> = proofs.iter().filter_map(|proof| slow_run(labs, proof)).collect();
    confusion::compare(&runs)
}

fn slow_run<'a>(labs: &'a Labs, proof: &'a Proof) -> Option<SlowRun<'a>> {
    let slow = proof.last.variants.iter().find(|run| run.variant == "slow")?;
    Some(SlowRun {
        lab: &proof.lab,
        area: proof.area,
        expected: &labs.get(&proof.lab)?.evidence.evidence.slow,
        measured: &slow.summary,
        spans: &slow.spans,
    })
}

/// Finds the labs with these ids, or all. The error of an unknown id suggests the nearest.
pub fn select<'a>(labs: &'a Labs, ids: &[String]) -> Result<Vec<&'a LoadedLab>, String> {
    if ids.is_empty() {
        return Ok(labs.all().iter().collect());
    }
    ids.iter().map(|id| labs.named(id)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_attempt_is_repeated_and_a_failed_one_never() {
        let attempt = |invalid: Option<&str>, failures: &[&str]| Attempt {
            steps: vec![Step {
                name: "parity".to_owned(),
                measured: String::new(),
                failures: failures.iter().map(|failure| (*failure).to_owned()).collect(),
                seconds: 0.0,
            }],
            invalid: invalid.map(str::to_owned),
            ..Attempt::default()
        };
        let verdict = |attempt: Attempt| (attempt.holds(), attempt.may_be_repeated());
        assert_eq!(verdict(attempt(None, &[])), (true, false));
        assert_eq!(verdict(attempt(Some("it stood still"), &[])), (false, true));
        assert_eq!(verdict(attempt(None, &["it differs"])), (false, false));
        assert_eq!(verdict(attempt(Some("it stood still"), &["it differs"])), (false, false));
    }
}
