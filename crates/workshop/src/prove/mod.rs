//! Proves labs: slow really shows the symptom, and the fix really removes it.
//!
//! Each lab gets a fresh server process with a fresh database. All expectations come from lab.json.

use std::{path::PathBuf, time::Instant};

use serde::Serialize;

use crate::lab::{Labs, LoadedLab};

/// The single checks.
mod checks;
/// Requests to the server that is proven.
mod client;
/// Finds and runs k6, and reads its outcome.
pub mod k6;
/// A server process on free ports.
mod process;
/// The outcome as JSON and JUnit XML.
pub mod report;
/// A variant after its load.
mod run;
/// The steps of a proof, in order.
mod steps;

pub use process::ServerProcess;

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
}

/// Scope of the proof of each lab.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Variants {
    /// slow and fast against their own evidence, and the wrong fixes.
    All,
    /// yours against the evidence of fast.
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

#[derive(Debug, Clone, Serialize)]
pub struct Proof {
    pub lab: String,
    pub holds: bool,
    pub steps: Vec<Step>,
    pub seconds: f64,
}

/// Proves one lab. Reports each step to `progress`.
pub async fn lab(loaded: &LoadedLab, options: &Options, progress: &dyn Fn(&str)) -> Proof {
    let started = Instant::now();
    let steps = steps::run(loaded, options, progress).await;
    Proof {
        lab: loaded.lab.id.to_owned(),
        holds: steps.iter().all(|step| step.failures.is_empty()),
        steps,
        seconds: started.elapsed().as_secs_f64(),
    }
}

/// Finds the labs with these ids, or all. The error of an unknown id lists the known ones.
pub fn select<'a>(labs: &'a Labs, ids: &[String]) -> Result<Vec<&'a LoadedLab>, String> {
    if ids.is_empty() {
        return Ok(labs.all().iter().collect());
    }
    let find = |id: &String| {
        let known = || labs.all().iter().map(|l| l.lab.id).collect::<Vec<_>>().join(", ");
        labs.get(id).ok_or_else(|| format!("there is no lab {id:?}; there are {}", known()))
    };
    ids.iter().map(find).collect()
}
