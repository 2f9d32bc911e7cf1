//! Verdicts of a lab whose gate counts queries, and of one whose gate is of time only.

use serde_json::json;

use super::{
    super::sample::{counting, lab},
    *,
};

fn asked(queries: f64, elapsed: f64) -> Asked {
    let numbers = Numbers::from([(Counter::Queries, queries), (Counter::ElapsedMs, elapsed)]);
    Asked { status: 200, body: json!([{ "id": 1 }, { "id": 2 }]), numbers }
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
        Verdict::Red(vec!["queries is 101, should be at most 5".to_owned()])
    );
}

#[test]
fn work_in_a_task_that_nobody_waits_for_is_red() {
    let Verdict::Red(reasons) = verdict_on(asked(1.0, 2.0), 101.0) else { panic!("not red") };
    assert!(reasons[0].starts_with("queries of the whole process is 101: work goes on"));
    // The server's own row for a health check is no cheat.
    assert_eq!(verdict_on(asked(5.0, 2.0), 6.0), Verdict::Green);
}

#[test]
fn a_wrong_answer_is_red_and_says_where() {
    for (body, difference) in [
        (json!([]), "$ has 0 elements, fast's has 2"),
        (json!([{ "id": 1 }, { "id": 3 }]), "$[1].id is 3, fast's is 2"),
        (json!([{ "id": 1 }, {}]), "$[1].id is missing"),
        (json!([{ "id": 1, "x": 0 }, { "id": 2 }]), "$[0].x is not in fast's"),
        (json!({}), "$ is {}, fast's is [{\"id\":1},{\"id\":2}]"),
    ] {
        let yours = Asked { body, ..asked(1.0, 2.0) };
        let reason = format!("the answer differs: {difference}");
        assert_eq!(verdict_on(yours, 1.0), Verdict::Red(vec![reason]));
    }
    let yours = Asked { status: 500, ..asked(1.0, 2.0) };
    let reason = "the status is 500, and should be 200".to_owned();
    assert_eq!(verdict_on(yours, 1.0), Verdict::Red(vec![reason]));
    let unanswered = Err("no answer".to_owned());
    let verdict = grade(&counting(), &asked(1.0, 2.0), &unanswered, &totals(0.0));
    assert_eq!(verdict, Verdict::Red(vec!["no answer".to_owned()]));
}

#[test]
fn what_only_time_can_decide_needs_the_proof() {
    let verdict = verdict_on(asked(1.0, 2000.0), 1.0);
    let reason = "elapsed_ms is 2000, fast's evidence has at most 600".to_owned();
    assert_eq!(verdict, Verdict::NeedsProof(vec![reason]));

    let mut timed = lab(r#"{ "http_req_duration": ["p(95)<500"] }"#);
    timed.evidence.fast.counters.remove(&Counter::Queries);
    let verdict = grade(&timed, &asked(1.0, 2.0), &Ok(asked(101.0, 2.0)), &totals(101.0));
    let Verdict::NeedsProof(reasons) = verdict else { panic!("{verdict:?}") };
    assert!(reasons[0].contains("time decides"), "{reasons:?}");
    // But a wrong answer needs no load to be wrong.
    let yours = Asked { body: json!([]), ..asked(1.0, 2.0) };
    let verdict = grade(&timed, &asked(1.0, 2.0), &Ok(yours), &totals(1.0));
    assert!(matches!(verdict, Verdict::Red(_)), "{verdict:?}");
}
