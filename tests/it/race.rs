//! Races of two variants on a real server: their course, their figures, and what is refused.

use axum::routing::get;
use product::{api::state::AppState, error::Error};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use workshop::{Data, Handlers, Lab, Labs, Schema};

use crate::{
    own_labs::{self, FILL, TABLE},
    profiles::profiler,
    support::{TestApp, header, labs, problem},
};

/// Events of a race as a follower gets them.
mod follower;
/// The app's workers, and its requests in flight.
mod live;

use follower::Follower;

pub const LAB: &str = "/labs/n-plus-one/race";

pub async fn post(app: &TestApp, path: &str, wish: &Value) -> Response {
    app.ops(Method::POST, path).json(wish).send().await.unwrap()
}

/// Starts a race and follows it, from before its start.
pub async fn begin(app: &TestApp, path: &str, wish: &Value) -> Follower {
    let follower = Follower::of(app, path).await;
    let answer = post(app, path, wish).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    assert_eq!(header(&answer, "location"), path);
    let race: Value = answer.json().await.unwrap();
    assert_eq!((&race["state"], &race["ticks"]), (&"running".into(), &json!([])));
    follower
}

fn times(lane: &Value) -> [f64; 2] {
    ["started_ms", "ended_ms"].map(|name| lane[name].as_f64().unwrap())
}

#[test]
fn in_turns_each_lane_runs_alone_and_has_the_figures_of_the_app() {
    let app = TestApp::start();
    app.run(async {
        let wish =
            json!({ "lanes": ["slow", "fast"], "visitors": 3, "seconds": 2, "captures": false });
        let mut follower = begin(&app, LAB, &wish).await;
        let (names, end) = follower.read_to_end().await;
        assert_eq!(names[..2], ["race", "ticks"], "{names:?}");
        for name in ["tick", "note", "lane"] {
            assert!(names.iter().any(|event| event == name), "no {name} in {names:?}");
        }
        assert_eq!((&end["state"], &end["reason"]), (&"finished".into(), &Value::Null), "{end}");
        let [slow, fast] = [&end["lanes"][0], &end["lanes"][1]];
        assert!(times(slow)[1] <= times(fast)[0], "they overlap: {end}");
        assert!(end["neighbour"]["asked"].as_u64().unwrap() > 0);
        for (lane, variant) in [(slow, "slow"), (fast, "fast")] {
            assert_eq!((&lane["variant"], &lane["state"]), (&variant.into(), &"ended".into()));
            let requests = &lane["requests"];
            assert!(requests["answered"].as_u64().unwrap() >= 3, "{lane}");
            assert_eq!((&requests["failed"], &requests["unfinished"]), (&0.into(), &0.into()));
            assert_eq!(requests["sent"], requests["answered"]);
            assert_eq!(lane["measured"]["count"], requests["answered"]);
            assert_eq!(lane["measured"]["statuses"], requests["statuses"]);
            let times = ["started", "ended"].map(|name| lane[name].as_str().unwrap());
            let [since, until] = times;
            let path = "/labs/n-plus-one/measurements";
            let path = format!("{path}?variant={variant}&since={since}&until={until}");
            let measured: Value = app.get_ops(&path).await.json().await.unwrap();
            for field in ["count", "statuses", "counters"] {
                assert_eq!(measured[field], lane["measured"][field], "{variant}: {field}");
            }
            let slowest = lane["slowest"].as_array().unwrap();
            let most = slowest.iter().map(|point| point["ms"].as_f64().unwrap());
            assert_eq!(most.max_by(f64::total_cmp), lane["latency"]["max_ms"].as_f64());
            assert!(slowest.iter().all(|point| point["trace_id"].as_str().unwrap().len() == 32));
            assert_eq!(lane["verdict"], Value::Null);
        }
        let queries = |lane: &Value| lane["measured"]["counters"]["queries"].clone();
        assert_eq!(queries(slow)["min"], 201.0);
        assert!(queries(fast)["max"].as_f64().unwrap() <= 2.0);

        let mut kept: Value = app.get_ops(LAB).await.json().await.unwrap();
        let ticks = kept["ticks"].take();
        let numbers = ticks.as_array().unwrap().iter().map(|tick| tick["n"].as_u64().unwrap());
        assert!(
            numbers.clone().count() > 8 && numbers.eq(0..ticks.as_array().unwrap().len() as u64)
        );
        kept["ticks"] = json!([]);
        assert_eq!(kept, end);
    });
}

#[test]
fn both_lanes_run_at_once_without_a_verdict_and_with_their_profiles() {
    let _profiler = profiler();
    let app = TestApp::start();
    app.run(async {
        let wish =
            json!({ "lanes": ["fast", "join-all"], "mode": "both", "visitors": 2, "seconds": 2 });
        let (_, end) = begin(&app, LAB, &wish).await.read_to_end().await;
        assert_eq!(end["state"], "finished", "{end}");
        let [a, b] = [times(&end["lanes"][0]), times(&end["lanes"][1])];
        assert!(a[0] < b[1] && b[0] < a[1], "they do not overlap: {end}");
        for lane in end["lanes"].as_array().unwrap() {
            assert_eq!((&lane["verdict"], &lane["captures"]), (&Value::Null, &json!([])));
            assert_eq!(lane["measured"]["count"], lane["requests"]["answered"]);
        }
        let captures = end["captures"].as_array().unwrap();
        let modes: Vec<_> = captures.iter().map(|capture| &capture["mode"]).collect();
        assert_eq!(modes, ["wall", "cpu"]);
        for capture in captures.iter().filter(|capture| !capture["id"].is_null()) {
            let kept = app.get_ops(&format!("/debug/pprof/captures/{}", capture["id"])).await;
            assert_eq!(kept.status(), 200);
        }
        let is_taken = !captures[0]["id"].is_null();
        assert_eq!(is_taken, cfg!(target_os = "linux"), "{captures:?}");
    });
}

/// Rows of the table, counted so many times.
async fn count(state: AppState, times: usize) -> Result<axum::Json<Value>, Error> {
    for _ in 0..times {
        own_labs::count(&state.db).await?;
    }
    Ok(axum::Json(json!({ "rows": own_labs::ROWS })))
}

/// A lab whose slow makes two queries, and whose gate allows one.
fn counting() -> &'static Lab {
    let mut evidence = own_labs::evidence("counting", 1);
    evidence["load"]["proof"] = json!({
        "executor": "constant-arrival-rate", "rate": 10, "duration": 1, "max_vus": 5,
        "graceful_stop": 5, "min_requests": 1,
    });
    let data = Data { schema: Schema::Both(TABLE), set_up: FILL, ..Data::NONE };
    let lab = own_labs::lab("counting", &evidence, data);
    let handlers = |_: &_| Handlers {
        slow: get(async |axum::extract::State(state)| count(state, 2).await),
        fast: get(async |axum::extract::State(state)| count(state, 1).await),
        yours: get(async |axum::extract::State(state)| count(state, 2).await),
        wrong: Vec::new(),
    };
    let Lab { id, evidence, readme, slow_source, fast_source, flow, counters, data, .. } = *lab;
    Box::leak(Box::new(Lab {
        id,
        evidence,
        readme,
        slow_source,
        fast_source,
        flow,
        counters,
        data,
        handlers,
    }))
}

#[test]
fn the_gate_has_a_verdict_by_the_thresholds_of_the_proof() {
    let app = TestApp::start_with_labs(Labs::load(&[counting()]).unwrap());
    app.run(async {
        let path = "/labs/counting/race";
        let wish = json!({ "lanes": ["slow", "fast"], "mode": "gate" });
        let (_, end) = begin(&app, path, &wish).await.read_to_end().await;
        assert_eq!(end["state"], "finished", "{end}");
        let verdict = |lane: usize| &end["lanes"][lane]["verdict"];
        assert_eq!(verdict(0)["passed"], false);
        assert_eq!(verdict(1)["passed"], true, "{}", verdict(1));
        for lane in 0..2 {
            assert_eq!(verdict(lane)["as_expected"], true, "{}", verdict(lane));
            let requests = &end["lanes"][lane]["requests"];
            let sent = requests["sent"].as_u64().unwrap() + requests["dropped"].as_u64().unwrap();
            assert_eq!(sent, 10, "a request every tenth of a second: {requests}");
        }
        let crossed = |lane: usize| -> Vec<String> {
            let all = verdict(lane)["thresholds"].as_array().unwrap();
            let crossed = all.iter().filter(|threshold| threshold["held"] == false);
            let text = |t: &Value| format!("{}: {}", t["metric"], t["expression"]).replace('"', "");
            crossed.map(text).collect()
        };
        assert_eq!(crossed(0), ["queries: max<=1"]);
        assert_eq!(crossed(1), [""; 0]);
        // yours starts as slow does, and nothing is expected of it.
        let wish = json!({ "lanes": ["yours", "fast"], "mode": "gate" });
        let (_, end) = begin(&app, path, &wish).await.read_to_end().await;
        let verdict = &end["lanes"][0]["verdict"];
        assert_eq!((&verdict["passed"], &verdict["as_expected"]), (&false.into(), &Value::Null));
    });
}

#[test]
fn the_gate_of_every_lab_is_one_that_a_race_can_judge() {
    for loaded in labs().all() {
        let lanes = ["slow", "fast"].map(str::to_owned).to_vec();
        let (visitors, seconds, captures) = (None, None, None);
        let mode = workshop::race::Mode::Gate;
        let wish = workshop::race::Wish { lanes, mode, visitors, seconds, captures };
        let plan = workshop::race::Plan::of(wish, loaded);
        assert!(plan.is_ok(), "{}: {:?}", loaded.lab.id, plan.err());
    }
}

#[test]
fn one_race_runs_at_a_time_until_it_is_stopped() {
    let app = TestApp::start();
    app.run(async {
        let wish =
            json!({ "lanes": ["slow", "fast"], "visitors": 1, "seconds": 60, "captures": false });
        let mut follower = begin(&app, LAB, &wish).await;
        let lane = follower
            .next_where(|event, data| event == "lane" && data["lane"]["state"] == "running");
        assert_eq!(lane.await["index"], 0);
        for other in [LAB, "/labs/blocking-n-plus-one/race"] {
            let refused = post(&app, other, &wish).await;
            assert_eq!(refused.status(), StatusCode::CONFLICT);
            let detail = problem(refused).await["detail"].as_str().unwrap().to_owned();
            assert!(
                detail.starts_with("a race of n-plus-one runs (slow and fast, turns)"),
                "{detail}"
            );
        }
        let running: Value = app.get_ops("/races/running").await.json().await.unwrap();
        assert_eq!(running, json!({ "lab": "n-plus-one", "id": 1 }));
        let stop = |path: &str| app.ops(Method::DELETE, path).send();
        assert_eq!(stop("/labs/blocking-n-plus-one/race").await.unwrap().status(), 404);
        assert_eq!(stop(LAB).await.unwrap().status(), StatusCode::NO_CONTENT);
        let (_, end) = follower.read_to_end().await;
        assert_eq!(end["state"], "stopped");
        let [slow, fast] = [&end["lanes"][0], &end["lanes"][1]];
        assert_eq!((&slow["state"], &fast["state"]), (&"ended".into(), &"waiting".into()));
        let requests = &slow["requests"];
        let sum = ["answered", "failed", "unfinished"].map(|name| requests[name].as_u64().unwrap());
        assert_eq!(requests["sent"].as_u64().unwrap(), sum.iter().sum::<u64>(), "{requests}");
        assert_eq!(stop(LAB).await.unwrap().status(), 404, "none runs any more");
        let running: Value = app.get_ops("/races/running").await.json().await.unwrap();
        assert_eq!(running, json!({ "lab": null, "id": null }));

        // The next one can begin at once, and a follower of it is not shown the first.
        let mut follower = begin(&app, LAB, &wish).await;
        let race = follower.next_where(|event, _| event == "race").await;
        assert_eq!(race["id"], 2);
        assert_eq!(stop(LAB).await.unwrap().status(), StatusCode::NO_CONTENT);
        assert_eq!(follower.read_to_end().await.1["state"], "stopped");
    });
}

#[test]
fn a_wish_that_can_not_be_met_names_its_fields() {
    let app = TestApp::start();
    app.run(async {
        let both = json!(["slow", "fast"]);
        for (wish, fields) in [
            (json!({}), vec!["lanes"]),
            (json!({ "lanes": "slow" }), vec!["lanes"]),
            (json!({ "lanes": ["slow", 1] }), vec!["lanes"]),
            (json!({ "lanes": ["slow"] }), vec!["lanes"]),
            (json!({ "lanes": ["slow", "fast", "yours"] }), vec!["lanes"]),
            (json!({ "lanes": ["slow", "quick"] }), vec!["lanes"]),
            (json!({ "lanes": ["slow", "slow"] }), vec!["lanes"]),
            (json!({ "lanes": both, "mode": "later" }), vec!["mode"]),
            (json!({ "lanes": both, "mode": 1 }), vec!["mode"]),
            (json!({ "lanes": both, "visitors": 0, "seconds": 0 }), vec!["visitors", "seconds"]),
            (json!({ "lanes": both, "visitors": 51, "seconds": 61 }), vec!["visitors", "seconds"]),
            (
                json!({ "lanes": both, "visitors": 1.5, "captures": "no" }),
                vec!["visitors", "captures"],
            ),
            (
                json!({ "lanes": both, "mode": "gate", "visitors": 1, "seconds": 1 }),
                vec!["visitors", "seconds"],
            ),
            (json!([]), vec!["body"]),
        ] {
            let answer = post(&app, LAB, &wish).await;
            assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{wish}");
            let problem = problem(answer).await;
            let named = problem["errors"].as_array().unwrap().iter().map(|error| &error["field"]);
            assert_eq!(named.collect::<Vec<_>>(), fields, "{wish}");
        }
        let wish = json!({ "lanes": both });
        for path in ["/labs/nothing/race", "/labs/%ff/race"] {
            assert_eq!(post(&app, path, &wish).await.status(), 404, "{path}");
            assert_eq!(app.get_ops(path).await.status(), 404, "{path}");
            assert_eq!(app.get_ops(&format!("{path}/events")).await.status(), 404, "{path}");
        }
        assert_eq!(app.ops(Method::POST, LAB).body("{}").send().await.unwrap().status(), 415);
        assert_eq!(app.get_ops(LAB).await.status(), 404, "there was none yet");
        let change = app.ops(Method::PUT, LAB).json(&wish).send().await.unwrap();
        assert_eq!(change.status(), 405);
    });
}

#[test]
fn a_lab_that_can_not_be_used_fails_its_race_with_the_reason() {
    let data = Data {
        schema: Schema::Both(TABLE),
        set_up: Some(|_| Box::pin(async { Err("the moon is in the way".into()) })),
        ..Data::NONE
    };
    let lab = own_labs::lab("failing", &own_labs::evidence("failing", 1), data);
    let app = own_labs::start(&[lab]);
    app.run(async {
        let wish = json!({ "lanes": ["slow", "fast"] });
        let (_, end) = begin(&app, "/labs/failing/race", &wish).await.read_to_end().await;
        assert_eq!(end["state"], "failed");
        let reason = end["reason"].as_str().unwrap();
        assert!(reason.contains("503") && reason.contains("the moon is in the way"), "{reason}");
    });
}

#[test]
fn yours_is_shown_as_it_is_on_disk() {
    let app = TestApp::start();
    app.run(async {
        let path = "src/labs/database/missing_index/yours.rs";
        let yours: Value = app.get_ops("/labs/missing-index/yours").await.json().await.unwrap();
        assert_eq!(yours["path"], path);
        assert_eq!(yours["text"], std::fs::read_to_string(path).unwrap());
        let files = yours["files"].as_array().unwrap().iter().map(|file| &file["name"]);
        assert_eq!(files.collect::<Vec<_>>(), ["yours.rs", "yours.sql"]);
        assert_eq!(app.get_ops("/labs/nothing/yours").await.status(), 404);
    });
}
