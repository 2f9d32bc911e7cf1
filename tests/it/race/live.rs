//! A race is seen while every worker of the app is held: which requests hold them, and who waits.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Follower, begin};
use crate::{
    ops::{hold_the_workers, wait_until_held},
    support::TestApp,
};

const LAB: &str = "/labs/blocking-n-plus-one/race";
const SLOW: &str = "/api/posts/v1/slow";

/// True if every worker polls this route, as a view says.
fn are_held(view: &Value, route: &str) -> bool {
    view["workers"].as_array().unwrap().iter().all(|worker| worker["route"] == route)
}

#[test]
fn ticks_tell_of_held_workers_before_the_first_answer() {
    let app = TestApp::start();
    app.run(async {
        let wish = json!({
            "lanes": ["slow", "fast"], "visitors": 20, "seconds": 30, "captures": false,
        });
        let mut follower = begin(&app, LAB, &wish).await;
        let tick = follower.next_where(|event, tick| event == "tick" && are_held(tick, SLOW)).await;
        let lane = &tick["lanes"][0];
        assert_eq!((&lane["variant"], &lane["state"]), (&"slow".into(), &"running".into()));
        assert_eq!(lane["answered"], 0, "{tick}");
        assert!(lane["in_flight"].as_u64().unwrap() >= 2, "{tick}");
        assert!(lane["p95_ms"].as_f64().unwrap() > 0.0 && lane["oldest_ms"].is_f64(), "{tick}");
        let workers = tick["workers"].as_array().unwrap();
        assert_eq!(workers.len(), 2);
        for (number, worker) in workers.iter().enumerate() {
            assert_eq!(worker["worker"], number);
            assert_eq!(
                (&worker["lab"], &worker["variant"]),
                (&"blocking-n-plus-one".into(), &"slow".into())
            );
            assert_eq!(worker["trace_id"].as_str().unwrap().len(), 32);
            assert!(worker["held_ms"].as_f64().unwrap() >= 0.0);
        }
        // The app's own records have counts of requests that nobody has an answer to.
        let counted = follower.next_where(|event, tick| {
            event == "tick" && tick["lanes"][0]["server"]["counters"]["queries"].is_f64()
        });
        let counted = counted.await;
        let server = &counted["lanes"][0]["server"];
        assert!(server["in_flight"].as_u64().unwrap() >= 2, "{server}");
        let most = server["most"]["queries"].as_f64().unwrap();
        assert!((1.0..=101.0).contains(&most), "{server}");

        // A late follower gets what was before, and ops answers as ever.
        let mut late = Follower::of(&app, LAB).await;
        assert_eq!(late.next_where(|event, _| event == "race").await["state"], "running");
        let ticks = late.next_where(|event, _| event == "ticks").await;
        assert_eq!(ticks[0]["n"], 0);
        let live: Value = app.get_ops("/debug/live").await.json().await.unwrap();
        let in_flight = live["in_flight"].as_array().unwrap().iter();
        let slow = in_flight.filter(|route| route["route"] == SLOW);
        let slow = slow.map(|route| route["requests"].as_u64().unwrap()).sum::<u64>();
        assert!(slow >= 2, "{live}");
        let waits = late
            .next_where(|event, tick| event == "tick" && tick["neighbour"]["pending_ms"].is_f64());
        let neighbour = waits.await["neighbour"].take();
        assert!(neighbour["worst_ms"].as_f64() >= neighbour["pending_ms"].as_f64(), "{neighbour}");

        app.ops(Method::DELETE, LAB).send().await.unwrap();
        for mut follower in [follower, late] {
            let (_, end) = follower.read_to_end().await;
            assert_eq!(end["state"], "stopped");
            assert!(end["lanes"][0]["requests"]["unfinished"].as_u64().unwrap() > 0, "{end}");
        }
    });
}

#[test]
fn what_a_worker_polls_is_shown_without_a_race_and_ends_with_the_request() {
    let app = TestApp::start();
    app.run(async {
        let slow = hold_the_workers(&app, 4);
        wait_until_held(&app).await;
        let live = async || -> Value { app.get_ops("/debug/live").await.json().await.unwrap() };
        while !are_held(&live().await, SLOW) {}
        assert!(slow.iter().all(|request| !request.is_finished()));
        for request in slow {
            assert_eq!(request.await.unwrap(), 200);
        }
        let after = live().await;
        assert_eq!(after["in_flight"], json!([]));
        let idle = |worker: &Value| worker["route"].is_null() && worker["held_ms"].is_null();
        assert!(after["workers"].as_array().unwrap().iter().all(idle), "{after}");
    });
}

#[test]
fn followers_are_bounded_and_those_who_leave_make_room() {
    let app = TestApp::start();
    app.run(async {
        let mut followers = Vec::new();
        for _ in 0..40 {
            followers.push(Follower::of(&app, LAB).await);
        }
        let refused = Follower::open(&app, LAB).await;
        assert_eq!(refused.status(), 503);
        assert_eq!(app.get_ops("/health").await.status(), 200);
        followers.clear();
        while Follower::open(&app, LAB).await.status() != 200 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    });
}
