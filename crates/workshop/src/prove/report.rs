//! Writes the outcome of a proof to files: JSON for programs, JUnit XML for CI systems.

use std::{path::Path, time::Duration};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use serde::Serialize;

use super::{Attempt, Proof, Step};
use crate::judge::confusion::Comparison;

/// Outcome of all proofs.
#[derive(Serialize)]
pub struct Outcome<'a> {
    version: &'static str,
    finished: String,
    /// True if every lab holds, and no two are confused.
    pub holds: bool,
    /// Invalid runs that were repeated.
    pub repeats: usize,
    labs: &'a [Proof],
    confusion: &'a [Comparison],
}

impl<'a> Outcome<'a> {
    pub fn new(proofs: &'a [Proof], confusion: &'a [Comparison]) -> Self {
        let is_confused = confusion.iter().any(Comparison::is_confused);
        Self {
            version: env!("CARGO_PKG_VERSION"),
            finished: humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string(),
            holds: !is_confused && proofs.iter().all(|proof| proof.holds),
            repeats: proofs.iter().map(|proof| proof.repeated.len()).sum(),
            labs: proofs,
            confusion,
        }
    }

    /// Writes `prove.json` and `prove.xml` into the folder.
    pub fn write(&self, folder: &Path) -> Result<(), String> {
        let json = serde_json::to_string_pretty(self).map_err(|e| e.to_string())?;
        let xml = self.junit().to_string().map_err(|e| e.to_string())?;
        for (name, text) in [("prove.json", json), ("prove.xml", xml)] {
            let path = folder.join(name);
            std::fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()))?;
        }
        Ok(())
    }

    fn junit(&self) -> Report {
        let mut report = Report::new("chokepoint prove");
        for proof in self.labs {
            let mut suite = TestSuite::new(proof.lab.as_str());
            let attempts = proof.repeated.iter().chain([&proof.last]);
            suite.set_time(Duration::from_secs_f64(attempts.map(|a| a.seconds).sum()));
            for repeated in &proof.repeated {
                suite.add_test_case(machine(repeated, TestCaseStatus::skipped()));
            }
            for step in &proof.last.steps {
                suite.add_test_case(case(step));
            }
            if proof.last.invalid.is_some() {
                let error = TestCaseStatus::non_success(NonSuccessKind::Error);
                suite.add_test_case(machine(&proof.last, error));
            }
            report.add_test_suite(suite);
        }
        if !self.confusion.is_empty() {
            let mut suite = TestSuite::new("confusion");
            suite.add_test_cases(self.confusion.iter().map(told_apart));
            report.add_test_suite(suite);
        }
        report
    }
}

fn failed(message: String) -> TestCaseStatus {
    let mut failed = TestCaseStatus::non_success(NonSuccessKind::Failure);
    failed.set_message(message);
    failed
}

fn case(step: &Step) -> TestCase {
    let status = if step.failures.is_empty() {
        TestCaseStatus::success()
    } else {
        failed(step.failures.join("; "))
    };
    let mut case = TestCase::new(step.name.as_str(), status);
    case.set_time(Duration::from_secs_f64(step.seconds));
    case.set_system_out(step.measured.as_str());
    case
}

/// The machine as a case: repeated runs are skipped, a last one that is invalid is an error.
fn machine(attempt: &Attempt, mut status: TestCaseStatus) -> TestCase {
    status.set_message(format!("invalid: {}", attempt.invalid.as_deref().unwrap_or_default()));
    let mut case = TestCase::new("machine", status);
    case.set_time(Duration::from_secs_f64(attempt.seconds));
    case
}

fn told_apart(comparison: &Comparison) -> TestCase {
    let Comparison { slow_run_of, evidence_of, told_apart_by } = comparison;
    let status = if comparison.is_confused() {
        failed(format!("the slow run of {slow_run_of} has all numbers of {evidence_of}'s slow"))
    } else {
        TestCaseStatus::success()
    };
    let mut case = TestCase::new(format!("{slow_run_of} is not {evidence_of}"), status);
    case.set_system_out(told_apart_by.join(", "));
    case
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Area;

    fn attempt(invalid: Option<&str>) -> Attempt {
        let step = |name: &str, failures| Step {
            name: name.to_owned(),
            measured: String::new(),
            failures,
            seconds: 1.0,
        };
        let steps = vec![step("parity", Vec::new())];
        Attempt { steps, invalid: invalid.map(str::to_owned), seconds: 1.0, ..Attempt::default() }
    }

    fn proof(repeated: usize, last: Option<&str>) -> Proof {
        Proof {
            lab: "n-plus-one".to_owned(),
            area: Area::Database,
            holds: last.is_none(),
            last: attempt(last),
            repeated: vec![attempt(Some("it stood still")); repeated],
        }
    }

    #[test]
    fn an_invalid_run_is_said_in_json_and_in_junit() {
        let proofs = [proof(1, None), proof(1, Some("it stood still again"))];
        let outcome = Outcome::new(&proofs, &[]);
        assert!(!outcome.holds);
        let json = serde_json::to_value(&outcome).unwrap();
        assert_eq!(json["repeats"], 2);
        assert_eq!(json["labs"][0]["holds"], true);
        assert_eq!(json["labs"][0]["repeated"][0]["invalid"], "it stood still");
        assert_eq!(json["labs"][1]["invalid"], "it stood still again");
        let xml = outcome.junit().to_string().unwrap();
        assert!(xml.contains("skipped message=\"invalid: it stood still\""), "{xml}");
        assert!(xml.contains("error message=\"invalid: it stood still again\""), "{xml}");
    }

    #[test]
    fn confused_labs_fail_although_each_holds() {
        let proofs = [proof(0, None)];
        let comparison = |told_apart_by| Comparison {
            slow_run_of: "a".to_owned(),
            evidence_of: "b".to_owned(),
            told_apart_by,
        };
        assert!(Outcome::new(&proofs, &[comparison(vec!["queries"])]).holds);
        let confused = [comparison(Vec::new())];
        let outcome = Outcome::new(&proofs, &confused);
        assert!(!outcome.holds);
        let xml = outcome.junit().to_string().unwrap();
        assert!(xml.contains("the slow run of a has all numbers of b"), "{xml}");
    }
}
