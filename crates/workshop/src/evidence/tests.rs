//! Request, answer, needs and settings of lab.json, and the reasons to refuse them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Area, Evidence, Session};

/// Spans and metrics.
mod beside_counters;

/// A lab.json of a lab `a-lab` with nothing special about it.
pub(crate) fn plain() -> Value {
    let load = json!({
        "executor": "constant-arrival-rate", "rate": 1, "duration": 2, "max_vus": 5,
        "graceful_stop": 1, "min_requests": 1,
    });
    let side = |min: u32| json!({ "counters": { "queries": { "min": min, "max": min } } });
    json!({
        "title": "A lab",
        "area": "overload",
        "order": 3,
        "question": "Why?",
        "hints": ["Look."],
        "origin": "A test.",
        "request": { "method": "GET", "mount": "/api/labs/a-lab" },
        "answer": { "statuses": { "200": { "min": 1 } } },
        "load": { "proof": load, "stage": load },
        "gate": {
            "thresholds": { "queries": ["max<=1"] }, "slow_crosses": ["queries: max<=1"],
        },
        "evidence": { "slow": side(9), "fast": side(1) },
        "wrong_fixes": [],
        "needs": {},
    })
}

fn with(change: impl FnOnce(&mut Value)) -> Result<Evidence, String> {
    let mut json = plain();
    change(&mut json);
    Evidence::parse("a-lab", &json.to_string())
}

/// The lab with the value at a JSON pointer replaced or added.
fn at(pointer: &str, value: &Value) -> Result<Evidence, String> {
    with(|json| {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        json.pointer_mut(parent).unwrap()[key] = value.clone();
    })
}

#[test]
fn a_lab_may_need_services_and_settings() {
    let evidence = with(|json| {
        json["needs"] = json!({ "postgres": true, "upstream": true });
        json["settings"] = json!({ "DB_POOL_SIZE": "15", "RATE_LIMIT_REGISTER": "off" });
    });
    let evidence = evidence.unwrap();
    assert_eq!((evidence.area, evidence.order), (Area::Overload, 3));
    assert_eq!(evidence.needs.listed(), ["PostgreSQL", "the labs' upstream service"]);
    assert_eq!(evidence.settings["DB_POOL_SIZE"], "15");
}

#[test]
fn several_statuses_are_held_to_their_shares() {
    let two = json!({ "200": { "min": 0.5 }, "503": { "max": 0.25 } });
    let evidence = at("/answer/statuses", &two).unwrap();
    let thresholds: Vec<_> = evidence.answer.thresholds().collect();
    assert_eq!(thresholds, ["status_200: rate>=0.5", "status_503: rate<=0.25"]);
    assert!(evidence.answer.allows(503) && !evidence.answer.allows(500));
    assert_eq!(evidence.answer.allowed(), "200 or 503");
    let crossed = with(|json| {
        json["answer"]["statuses"] = two;
        json["gate"]["slow_crosses"] = json!(["status_200: rate>=0.5"]);
    });
    assert!(crossed.is_ok(), "{crossed:?}");
    assert_eq!(evidence.answer.requests, 1);
    // The checks of k6 demand it of every answer.
    assert_eq!(with(|_| {}).unwrap().answer.thresholds().count(), 0);
}

#[test]
fn fields_that_may_differ_are_left_out_of_a_comparison() {
    let answer = at("/answer/may_differ", &json!(["id", "at"])).unwrap().answer;
    assert_eq!(answer.may_differ, BTreeSet::from(["id".to_owned(), "at".to_owned()]));
    let compared = |id: u32, title: &str| {
        answer.comparable(json!([{ "id": id, "in": { "at": [id], "title": title } }]))
    };
    assert_eq!(compared(1, "a"), compared(2, "a"));
    assert_ne!(compared(1, "a"), compared(1, "b"));
    // Only its value may differ: it must be there.
    assert_ne!(answer.comparable(json!({ "id": 1 })), answer.comparable(json!({})));
}

#[test]
fn errors_name_the_key_and_what_would_be_right() {
    let share = |min: f64| json!({ "200": { "min": min }, "503": { "max": 0.5 } });
    let too_little = json!({ "200": { "min": 0.5, "max": 0.5 }, "503": { "max": 0.25 } });
    for (pointer, value, reason) in [
        ("/area", json!("Database"), "area: unknown variant `Database`, expected one of `async"),
        ("/order", json!(0), "order is 0; the first lab of an area has 1"),
        ("/order", json!("1"), "order: invalid type: string \"1\", expected u32"),
        ("/hints", json!(["a", " "]), "hints[1] is empty"),
        ("/request/method", json!("FETCH"), "request.method: unknown variant `FETCH`, expected"),
        ("/request/mount", json!("/x"), "request.mount is /x; /api/labs/a-lab would be right"),
        ("/request/body", json!({}), "request.body: GET has none; use POST"),
        ("/request/query", json!({ "q": "{m}" }), "request.query.q: there is no {m}; {n} and"),
        ("/request/headers", json!({ "X-A": "1" }), "request.headers.X-A: write it in lower"),
        ("/request/headers", json!({ "a b": "1" }), "request.headers.a b: no name of a header"),
        ("/request/headers", json!({ "host": "1" }), "request.headers.host: remove it"),
        ("/request/login", json!(true), "request.login: unknown field `login`, expected one of"),
        (
            "/request/flow",
            json!("flow.js"),
            "request.flow is \"flow.js\"; \"k6.js\" would be right",
        ),
        ("/request/flow", json!(true), "request.flow: invalid type: boolean `true`"),
        ("/request/log_in", json!("yes"), "request.log_in: invalid type: string \"yes\""),
        ("/answer/statuses", json!({}), "answer.statuses: no status has a min"),
        ("/answer/statuses", json!({ "200": { "min": 0.9 } }), "so { \"min\": 1 } is right"),
        ("/answer/statuses", json!({ "99": { "min": 1 } }), "a status of an answer is 200 to"),
        ("/answer/statuses", share(1.5), "answer.statuses.200: 1.5 to 1 is impossible"),
        ("/answer/statuses", share(0.0), "answer.statuses.200: every share is in 0 to 1"),
        ("/answer/statuses", too_little, "answer.statuses: the maxes are 0.75 together"),
        ("/answer/statuses/200", json!({}), "answer.statuses.200: a share needs min or max"),
        ("/answer/statuses/200", json!({ "least": 1 }), "answer.statuses.200.least: unknown"),
        ("/answer/requests", json!(0), "answer.requests is 0; 1 to 20 are compared"),
        ("/settings", json!({ "DB_POOL": "1" }), "settings.DB_POOL: the server has no setting"),
        ("/settings", json!({ "DB_POOL_SIZE": 1 }), "settings.DB_POOL_SIZE: invalid type"),
        ("/settings", json!({ "DB_POOL_SIZE": "x" }), "settings.DB_POOL_SIZE: \"x\" can't be"),
        ("/settings", json!({ "LISTEN": "x" }), "settings.LISTEN: belongs to whoever starts"),
        ("/needs/gpu", json!(true), "needs.gpu: unknown field `gpu`, expected one of `cores`"),
        ("/gate/slow_crosses", json!([]), "gate.slow_crosses is empty; it needs one"),
        ("/gate/slow_crosses", json!(["x: 1"]), "is not among the thresholds: queries: max<=1"),
        ("/gate/thresholds/checks", json!(["rate==1"]), "gate.thresholds.checks: remove it"),
    ] {
        let error = at(pointer, &value).err().unwrap_or_default();
        assert!(error.contains(reason), "{pointer} {value}: {error:?}");
    }
    let body = with(|json| {
        json["request"]["method"] = json!("POST");
        json["request"]["body"] = json!({ "to": ["{who}"] });
    });
    assert_eq!(
        body.unwrap_err(),
        "request.body: to: there is no {who}; {n} and {user} are replaced"
    );
    let error = Evidence::parse("a-lab", &format!("{} 1", plain())).unwrap_err();
    assert!(error.contains("trailing characters"), "{error}");
    let error = Evidence::parse("a-lab", "{").unwrap_err();
    assert!(error.starts_with("EOF while parsing"), "{error}");
}

#[test]
fn a_refusal_is_another_request_with_a_status_that_refuses() {
    let of = |refusal: Value| {
        with(|json| {
            json["request"]["method"] = json!("POST");
            json["request"]["log_in"] = json!(true);
            json["request"]["body"] = json!({ "seat": "{user}" });
            json["refusals"] = json!([refusal]);
        })
    };
    let forged = json!({ "name": "with a forged session", "session": "forged", "status": 401 });
    let refusal = of(forged.clone()).unwrap().refusals.remove(0);
    assert_eq!((refusal.session, refusal.body, refusal.status), (Session::Forged, None, 401));
    let empty = of(json!({ "name": "without a field", "body": {}, "status": 422 })).unwrap();
    assert_eq!(empty.refusals[0].session, Session::Valid);

    let changed = |key: &str, value: Value| {
        let mut refusal = forged.clone();
        refusal[key] = value;
        of(refusal).unwrap_err()
    };
    for (key, value, reason) in [
        ("name", json!(" "), "refusals[0]: name is empty; it needs words"),
        ("status", json!(200), "refusals[0]: status 200 is no refusal; 400 to 499"),
        ("status", json!(503), "refusals[0]: status 503 is no refusal; 400 to 499"),
        ("session", json!("old"), "refusals[0].session: unknown variant `old`"),
        ("session", json!("valid"), "refusals[0]: it is the request itself"),
        ("body", json!({ "a": "{m}" }), "refusals[0]: body: a: there is no {m}"),
    ] {
        let error = changed(key, value.clone());
        assert!(error.contains(reason), "{key} {value}: {error}");
    }
    let without = at("/refusals", &json!([forged])).unwrap_err();
    assert!(without.contains("it needs \"log_in\": true"), "{without}");
}
