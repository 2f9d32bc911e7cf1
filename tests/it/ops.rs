//! The ops port answers while every worker of the app is held, and its profiles name our code.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chokepoint::ops::FrameReader;
use reqwest::Method;

use crate::support::{TestApp, header, problem};

const SLOW: &str = "/api/posts/v1/slow";

/// There is one profiler in a process, and tests that run side by side would take it from each other.
fn profiler() -> MutexGuard<'static, ()> {
    static PROFILER: Mutex<()> = Mutex::new(());
    PROFILER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sends slow requests and doesn't wait for them.
fn hold_the_workers(app: &TestApp, requests: usize) -> Vec<tokio::task::JoinHandle<u16>> {
    let send = |_| {
        let request = app.app(Method::GET, SLOW);
        tokio::spawn(async { request.send().await.map_or(0, |r| r.status().as_u16()) })
    };
    (0..requests).map(send).collect()
}

async fn wait_until_held(app: &TestApp) {
    let pending = format!("axum_http_requests_pending{{method=\"GET\",endpoint=\"{SLOW}\"}}");
    loop {
        let text = app.metrics().await;
        let line = text.lines().find(|line| line.starts_with(&pending));
        if line.is_some_and(|line| !line.ends_with(" 0")) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[test]
fn ops_answers_while_fifty_slow_requests_hold_the_app() {
    let app = TestApp::start();
    app.run(async {
        let slow = hold_the_workers(&app, 50);
        wait_until_held(&app).await;
        for _ in 0..20 {
            assert_eq!(app.get_ops("/metrics").await.status(), 200);
            assert_eq!(app.get_ops("/health").await.status(), 200);
        }
        // Not one of the fifty has come back: ops was asked and answered in between.
        assert_eq!(slow.iter().filter(|request| request.is_finished()).count(), 0);
        slow.iter().for_each(tokio::task::JoinHandle::abort);
    });
}

#[test]
#[cfg(target_os = "linux")]
fn a_wall_profile_names_the_function_that_sleeps_and_a_cpu_profile_does_not() {
    let _profiler = profiler();
    let app = TestApp::start();
    app.run(async {
        let slow = hold_the_workers(&app, 10);
        wait_until_held(&app).await;
        let taken = app.get_ops("/debug/pprof/profile?mode=wall&seconds=1&idle=1").await;
        assert_eq!(taken.status(), 200);
        let wall = FrameReader::new(&taken.bytes().await.unwrap()).unwrap();
        for function in ["blocking_n_plus_one::slow::handler", "std::thread::sleep"] {
            let samples = wall.samples(function);
            assert!(samples.of_app >= 10, "{samples:?}");
            assert!(samples.holding > 0, "{function}: {samples:?}");
        }
        let taken = app.get_ops("/debug/pprof/profile?mode=cpu&seconds=1").await;
        let cpu = FrameReader::new(&taken.bytes().await.unwrap()).unwrap();
        // Going to sleep takes some CPU; two workers that sleep all the time take no tenth of a core.
        let asleep = cpu.samples("std::thread::sleep");
        assert!(asleep.threads() < 0.1, "{asleep:?}");
        slow.iter().for_each(tokio::task::JoinHandle::abort);
    });
}

#[test]
fn a_flame_graph_says_what_it_shows_and_a_second_profile_gets_409() {
    let _profiler = profiler();
    let app = TestApp::start();
    app.run(async {
        let path = "/debug/pprof/flamegraph?mode=cpu&seconds=1";
        let (a, b) = tokio::join!(app.get_ops(path), app.get_ops(path));
        let mut statuses = [a.status().as_u16(), b.status().as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
        for response in [a, b] {
            if response.status() == 409 {
                problem(response).await;
            } else {
                assert_eq!(header(&response, "content-type"), "image/svg+xml");
                let svg = response.text().await.unwrap();
                assert!(svg.contains("A thread that sleeps or waits uses no CPU"), "{svg}");
            }
        }
    });
}

#[test]
fn the_catalogue_is_json_for_programs_and_a_page_for_people() {
    let app = TestApp::start();
    app.run(async {
        let labs: serde_json::Value = app.get_ops("/labs").await.json().await.unwrap();
        assert_eq!(labs[0]["id"], "blocking-n-plus-one");
        let lab: serde_json::Value = app.get_ops("/labs/n-plus-one").await.json().await.unwrap();
        assert_eq!(lab["evidence"]["evidence"]["slow"]["counters"]["queries"]["min"], 201.0);
        assert!(lab["readme"].as_str().unwrap().contains("## Symptom"));
        let page = app.ops(Method::GET, "/labs/n-plus-one").header("accept", "text/html");
        let page = page.send().await.unwrap().text().await.unwrap();
        assert!(page.contains("<h2>Symptom</h2>"), "{page}");
    });
}
