//! Verdicts of a lab whose gate counts queries, and of one whose gate is of time only.

use observe::measurements::Figures;
use serde_json::json;

use super::{
    super::sample::{counting, lab},
    *,
};

fn asked(queries: f64, elapsed: f64) -> Asked {
    let figures = |value| Figures { min: value, mean: value, p90: value, max: value };
    let counters =
        [(Counter::Queries, figures(queries)), (Counter::ElapsedMs, figures(elapsed))].into();
    let summary = Summary { count: 1, counters, ..Summary::default() };
    answered(200, json!([{ "id": 1 }, { "id": 2 }]), summary)
}

fn answered(status: u16, body: Value, summary: Summary) -> Asked {
    Asked { answers: vec![(status, body)], summary }
}

fn totals(queries: f64) -> Totals {
    Totals::from([("queries".to_owned(), queries)])
}

fn verdict_on(yours: Asked, queries: f64) -> Verdict {
    grade(&counting(), &asked(1.0, 2.0), &Ok(yours), &totals(queries))
}

#[test]
fn a_fix_that_holds_the_gate_is_green_even_if_it_is_not_fasts() {
    assert_eq!(verdict_on(asked(1.0, 2.0), 1.0), Verdict::Green);
    // Ids first, then all rows: the gate allows it, the exact evidence of fast would not.
    assert_eq!(verdict_on(asked(2.0, 2.0), 2.0), Verdict::Green);
}

#[test]
fn slow_is_red_by_its_count() {
    assert_eq!(
        verdict_on(asked(101.0, 2.0), 101.0),
        Verdict::Red(vec![
            "queries: 101 for each request, at most 5 (gate queries: max<=5)".to_owned(),
            "these look like the numbers of slow".to_owned(),
        ])
    );
    // The server's own work is no excuse for what is on the request's record.
    let reason = "queries: 6 in one request, at most 5 (gate queries: max<=5)".to_owned();
    assert_eq!(verdict_on(asked(6.0, 2.0), 6.0), Verdict::Red(vec![reason]));
}

#[test]
fn work_in_a_task_that_nobody_waits_for_is_red() {
    let Verdict::Red(reasons) = verdict_on(asked(1.0, 2.0), 101.0) else { panic!("not red") };
    let words = "queries: 101 for each request, at most 5 (gate queries: max<=5); \
        the request's own record has 1";
    assert!(reasons[0].starts_with(words), "{reasons:?}");
    // The server's own row for a health check is no cheat.
    assert_eq!(verdict_on(asked(5.0, 2.0), 6.0), Verdict::Green);
}

#[test]
fn a_wrong_answer_is_red_and_says_where() {
    let Asked { answers, summary } = asked(1.0, 2.0);
    let yours = answered(200, json!([{ "id": 1 }, { "id": 3 }]), summary.clone());
    let Verdict::Red(reasons) = verdict_on(yours, 1.0) else { panic!("not red") };
    let words = "it answers otherwise than fast: 1 of 2 rows differ, first row 2:\n";
    assert!(reasons.len() == 1 && reasons[0].starts_with(words), "{reasons:?}");
    let yours = Asked { answers: vec![(500, answers[0].1.clone())], summary };
    let reason = "the status is 500, and should be 200".to_owned();
    assert_eq!(verdict_on(yours, 1.0), Verdict::Red(vec![reason]));
    let unanswered = Err("no answer".to_owned());
    let verdict = grade(&counting(), &asked(1.0, 2.0), &unanswered, &totals(0.0));
    assert_eq!(verdict, Verdict::Red(vec!["no answer".to_owned()]));
}

#[test]
fn what_only_time_can_decide_needs_the_proof() {
    let verdict = verdict_on(asked(1.0, 2000.0), 1.0);
    let reason = "elapsed_ms: 2000 in one request, at most 600 (evidence of fast)".to_owned();
    assert_eq!(verdict, Verdict::NeedsProof(vec![reason]));

    let mut timed = lab(r#"{ "http_req_duration": ["p(95)<500"] }"#);
    timed.evidence.fast.counters.remove(&Counter::Queries);
    let verdict = grade(&timed, &asked(1.0, 2.0), &Ok(asked(101.0, 2.0)), &totals(101.0));
    let Verdict::NeedsProof(reasons) = verdict else { panic!("{verdict:?}") };
    assert!(reasons[0].contains("time decides"), "{reasons:?}");
    // But a wrong answer needs no load to be wrong.
    let yours = answered(200, json!([]), asked(1.0, 2.0).summary);
    let verdict = grade(&timed, &asked(1.0, 2.0), &Ok(yours), &totals(1.0));
    assert!(matches!(verdict, Verdict::Red(_)), "{verdict:?}");
}

#[test]
fn each_answer_must_be_fasts_and_a_mean_needs_the_proof() {
    let mut evidence = counting();
    let avg = "avg<=1.2".to_owned();
    evidence.gate.thresholds.insert("queries".to_owned(), vec!["max<=5".to_owned(), avg]);
    let of = |status, queries| {
        let Asked { answers, mut summary } = asked(queries, 2.0);
        summary.count = 2;
        Asked { answers: vec![(503, json!({})), (status, answers[0].1.clone())], summary }
    };
    let share = evidence.answer.statuses[&200];
    evidence.answer.statuses.insert(503, share);
    let verdict =
        |yours: Asked, queries| grade(&evidence, &of(200, 1.0), &Ok(yours), &totals(queries));
    assert_eq!(verdict(of(200, 1.0), 2.0), Verdict::Green);
    let reason = "queries: 4 for each request, at most 1.2 (gate queries: avg<=1.2)".to_owned();
    assert_eq!(verdict(of(200, 4.0), 8.0), Verdict::NeedsProof(vec![reason]));
    let Verdict::Red(reasons) = verdict(of(500, 1.0), 2.0) else { panic!("not red") };
    assert_eq!(reasons, ["the status is 500, and should be 200 or 503"]);
}

#[test]
fn what_lets_everybody_in_is_red_whatever_its_numbers() {
    let red = |reasons: &[&str]| Verdict::Red(reasons.iter().map(|r| (*r).to_owned()).collect());
    let let_in = || vec!["let in".to_owned()];
    assert_eq!(Verdict::Green.with(let_in()), red(&["let in"]));
    assert_eq!(Verdict::NeedsProof(vec!["time".to_owned()]).with(let_in()), red(&["let in"]));
    assert_eq!(red(&["queries"]).with(let_in()), red(&["queries", "let in"]));
    assert_eq!(Verdict::Green.with(Vec::new()), Verdict::Green);
}
