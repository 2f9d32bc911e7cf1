//! W3C Trace Context, levels 1 and 2, on the receiving side: `traceparent` and `tracestate` that
//! are accepted.

use super::{Receiver, client, exporting, request_span};
use crate::support::{TestApp, header};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

/// True if the answer has the trace id of these headers.
async fn is_taken(app: &TestApp, parents: &[&str]) -> bool {
    let request =
        parents.iter().fold(app.app(reqwest::Method::GET, "/health/live"), |r, parent| {
            r.header("traceparent", *parent)
        });
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200, "{parents:?}");
    header(&answer, "x-trace-id") == TRACE
}

#[test]
fn a_traceparent_is_taken_over_only_as_the_standard_has_it() {
    let app = TestApp::start();
    app.run(async {
        let good = format!("00-{TRACE}-{SPAN}-01");
        for taken in [
            good.clone(),
            format!("00-{TRACE}-{SPAN}-00"),
            // The random bit of level 2, and unassigned bits.
            format!("00-{TRACE}-{SPAN}-02"),
            format!("00-{TRACE}-{SPAN}-ff"),
            format!("  {good}\t"),
            // A future version may be longer.
            format!("01-{TRACE}-{SPAN}-01"),
            format!("cc-{TRACE}-{SPAN}-01-what-comes-then"),
            format!("fe-{TRACE}-{SPAN}-01-"),
        ] {
            assert!(is_taken(&app, &[&taken]).await, "{taken}");
        }
        for refused in [
            format!("{good}-"),
            format!("{good}-more"),
            format!("{good}."),
            format!("cc-{TRACE}-{SPAN}-01.more"),
            format!("cc-{TRACE}-{SPAN}-011"),
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("0-{TRACE}-{SPAN}-01"),
            format!("000-{TRACE}-{SPAN}-01"),
            format!("-00-{TRACE}-{SPAN}-01"),
            format!(".0-{TRACE}-{SPAN}-01"),
            format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            format!("00-{TRACE}-{}-01", SPAN.to_uppercase()),
            format!("00-{TRACE}-{SPAN}-0A"),
            format!("00-{TRACE}-{SPAN}-1"),
            format!("00-{TRACE}-0000000000000000-01"),
            format!("00-{TRACE}0-{SPAN}-01"),
            format!("00-{TRACE}-{SPAN}0-01"),
            format!("{good},{good}"),
            format!("00_{TRACE}_{SPAN}_01"),
            String::new(),
        ] {
            assert!(!is_taken(&app, &[&refused]).await, "{refused}");
        }
        assert!(!is_taken(&app, &[&good, &good]).await, "twice");
        let other = format!("00-{TRACE}-{}-01", "1".repeat(16));
        assert!(!is_taken(&app, &[&good, &other]).await, "two parents");
    });
}

#[test]
fn a_tracestate_is_passed_on_whole_or_not_at_all() {
    let receiver = Receiver::grpc();
    let serving = exporting(&receiver, "grpc", &[]);
    let client = client();
    let state = |states: &[&str]| {
        let trace = format!("{:032x}", fastrand::u128(1..));
        let request = client.get(serving.url("/health/live"));
        let request = request.header("traceparent", format!("00-{trace}-{SPAN}-01"));
        let request = states.iter().fold(request, |r, state| r.header("tracestate", *state));
        assert_eq!(request.send().unwrap().status(), 200, "{states:?}");
        request_span(&receiver.trace(&trace)).span.trace_state.clone()
    };
    let members = |count| (0..count).map(|n| format!("k{n}=v")).collect::<Vec<_>>().join(",");
    let long = format!("a={},b={}", "x".repeat(256), "y".repeat(256));
    for kept in ["a=1", "a=1,b=2", "tenant@system=x y", "0a_-*/=!~", &members(32), &long] {
        assert_eq!(state(&[kept]), kept);
    }
    assert_eq!(state(&["a=1 ,\t b=2,,"]), "a=1,b=2", "space around members, and empty ones");
    assert_eq!(state(&["a=1,b=2", "c=3", ""]), "a=1,b=2,c=3", "several are one, in their order");
    for refused in [
        "a",
        "a=",
        "a==1",
        "a=1=",
        "=1",
        "A=1",
        "a b=1",
        "a =1",
        "-a=1",
        "a@=1",
        "a@b@c=1",
        "a=x\ty",
        "a=1,b",
        &members(33),
        &format!("{}=1", "a".repeat(257)),
        &format!("a={}", "x".repeat(257)),
        "a=ü",
    ] {
        assert_eq!(state(&[refused]), "", "{refused}");
    }
}
