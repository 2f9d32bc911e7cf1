//! Polls that blocked a worker, and the requests that they belong to.

use reqwest::Method;
use serde_json::Value;

use crate::support::{TestApp, header, problem};

const SLOW: &str = "/api/posts/v1/slow";
const FAST: &str = "/api/posts/v2/fast";

async fn blocked(app: &TestApp, query: &str) -> Value {
    let answer = app.get_ops(&format!("/debug/blocked{query}")).await;
    assert_eq!(answer.status(), 200, "{query}");
    answer.json().await.unwrap()
}

fn polls(list: &Value) -> &Vec<Value> {
    list["polls"].as_array().unwrap()
}

/// Context switches of the polls in a list.
fn switches(list: &Value) -> u64 {
    polls(list).iter().map(|poll| poll["switches"].as_u64().unwrap()).sum()
}

#[test]
fn slow_holds_workers_and_fast_does_not() {
    let app = TestApp::start();
    app.run(async {
        for _ in 0..10 {
            assert_eq!(app.get(FAST).await.status(), 200);
        }
        let fast = blocked(&app, "").await;

        let slow = app.get(SLOW).await;
        let ids = ["x-request-id", "x-trace-id"].map(|name| header(&slow, name).to_owned());
        let list = blocked(&app, &format!("?route={SLOW}")).await;
        if cfg!(target_os = "linux") {
            // A preempted poll is long too, but only a blocking one gives up its core.
            let (fast, slow) = (switches(&fast), switches(&list));
            assert!(
                slow >= 50 && fast < slow / 3,
                "10 requests of fast {fast}, one of slow {slow}"
            );
        }
        assert!(list["seen"].as_u64().unwrap() >= polls(&list).len() as u64, "{list}");
        for poll in polls(&list) {
            assert_eq!(
                [&poll["route"], &poll["lab"], &poll["variant"]],
                [SLOW, "blocking-n-plus-one", "slow"]
            );
            assert_eq!([&poll["request_id"], &poll["trace_id"]], [&ids[0], &ids[1]]);
            assert!(poll["duration_ms"].as_f64().unwrap() >= 10.0, "{poll}");
        }
        if cfg!(target_os = "linux") {
            let sum = |of: &str| polls(&list).iter().map(|p| p[of].as_f64().unwrap()).sum::<f64>();
            assert!(sum("cpu_ms") < sum("duration_ms"), "{list}");
        }
        let began: Vec<_> = polls(&list).iter().map(|p| p["started"].as_str().unwrap()).collect();
        assert!(began.is_sorted_by(|a, b| a >= b), "newest first: {began:?}");
        let series = format!(
            "chokepoint_blocked_polls_total{{route=\"{SLOW}\",lab=\"blocking-n-plus-one\",variant=\"slow\"}} "
        );
        let metrics = app.metrics().await;
        let line = metrics.lines().find_map(|line| line.strip_prefix(&series)).unwrap();
        // Other servers of this process count requests of the same route.
        assert!(line.parse::<usize>().unwrap() >= polls(&list).len(), "{line}");
    });
}

#[test]
fn no_more_than_a_hundred_are_kept() {
    let app = TestApp::start();
    app.run(async {
        for _ in 0..20 {
            assert_eq!(app.get(SLOW).await.status(), 200);
            let list = blocked(&app, "").await;
            if list["seen"].as_u64().unwrap() > 100 {
                return assert_eq!(polls(&list).len(), 100);
            }
        }
        panic!("twenty slow requests did not block a hundred times");
    });
}

#[test]
fn a_list_is_of_one_lab_or_of_one_route() {
    let app = TestApp::start();
    app.run(async {
        app.get(SLOW).await;
        let all = polls(&blocked(&app, "").await).len();
        let of_lab = polls(&blocked(&app, "?lab=blocking-n-plus-one").await).len();
        assert!(of_lab >= 1 && of_lab <= all, "{of_lab} of {all}");
        for none in ["?lab=n-plus-one&route=/api/posts/v1/slow", "?route=/nowhere"] {
            assert_eq!(polls(&blocked(&app, none).await).len(), 0, "{none}");
        }
        for (query, field) in [("?lab=none", "lab"), ("?format=xml", "format")] {
            let answer = app.get_ops(&format!("/debug/blocked{query}")).await;
            assert_eq!(answer.status(), 422, "{query}");
            assert_eq!(problem(answer).await["errors"][0]["field"], field);
        }
        let page = app.ops(Method::GET, "/debug/blocked").header("accept", "text/html");
        let page = page.send().await.unwrap().text().await.unwrap();
        let rows = page.matches("<code>/api/posts/v1/slow</code>").count();
        assert!(rows >= of_lab, "{page}");
        assert!(page.contains("<td>blocking-n-plus-one slow</td>"), "{page}");
    });
}
