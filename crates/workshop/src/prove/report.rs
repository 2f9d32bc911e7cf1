//! Writes the outcome of a proof to files: JSON for programs, JUnit XML for CI systems.

use std::{path::Path, time::Duration};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use serde::Serialize;

use super::Proof;

#[derive(Serialize)]
struct Json<'a> {
    version: &'static str,
    finished: String,
    holds: bool,
    labs: &'a [Proof],
}

/// Writes `prove.json` and `prove.xml` into the folder.
pub fn write(proofs: &[Proof], folder: &Path) -> Result<(), String> {
    let json = Json {
        version: env!("CARGO_PKG_VERSION"),
        finished: humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string(),
        holds: proofs.iter().all(|proof| proof.holds),
        labs: proofs,
    };
    let json = serde_json::to_string_pretty(&json).map_err(|e| e.to_string())?;
    let xml = junit(proofs).to_string().map_err(|e| e.to_string())?;
    for (name, text) in [("prove.json", json), ("prove.xml", xml)] {
        let path = folder.join(name);
        std::fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()))?;
    }
    Ok(())
}

fn junit(proofs: &[Proof]) -> Report {
    let mut report = Report::new("chokepoint prove");
    for proof in proofs {
        let mut suite = TestSuite::new(proof.lab.as_str());
        suite.set_time(Duration::from_secs_f64(proof.seconds));
        for step in &proof.steps {
            let status = if step.failures.is_empty() {
                TestCaseStatus::success()
            } else {
                let mut failed = TestCaseStatus::non_success(NonSuccessKind::Failure);
                failed.set_message(step.failures.join("; "));
                failed
            };
            let mut case = TestCase::new(step.name.as_str(), status);
            case.set_time(Duration::from_secs_f64(step.seconds));
            case.set_system_out(step.measured.as_str());
            suite.add_test_case(case);
        }
        report.add_test_suite(suite);
    }
    report
}
