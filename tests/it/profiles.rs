//! Profiles name our code, are kept and compared, and only one is taken at a time.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chokepoint::ops::FrameReader;
use reqwest::{Method, Response, blocking};
use serde_json::Value;

use crate::{
    ops::{hold_the_workers, wait_until_held},
    program::Serving,
    support::{TestApp, header, problem},
};

/// There is one profiler in a process, and tests that run side by side would take it from each other.
fn profiler() -> MutexGuard<'static, ()> {
    static PROFILER: Mutex<()> = Mutex::new(());
    PROFILER.lock().unwrap_or_else(PoisonError::into_inner)
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

/// The fields that a 422 names.
async fn refused(answer: Response) -> Vec<String> {
    assert_eq!(answer.status(), 422);
    let errors = problem(answer).await["errors"].take();
    let field = |error: &Value| error["field"].as_str().unwrap().to_owned();
    errors.as_array().unwrap().iter().map(field).collect()
}

fn id(answer: &Response) -> String {
    assert_eq!(answer.status(), 200);
    header(answer, "x-capture-id").to_owned()
}

#[test]
fn what_is_taken_is_kept_with_its_lab_and_found_by_time() {
    let _profiler = profiler();
    let app = TestApp::start();
    app.run(async {
        let path = "/debug/pprof/profile?mode=cpu&seconds=1&lab=n-plus-one&variant=join-all";
        let taken = app.get_ops(path).await;
        let first = id(&taken);
        let packed = taken.bytes().await.unwrap();
        let second = id(&app.get_ops("/debug/pprof/flamegraph?seconds=1").await);

        let list: Value = app.get_ops("/debug/pprof/captures").await.json().await.unwrap();
        assert_eq!((&list["kept"], &list["forgotten"]), (&2.into(), &0.into()));
        let [newer, older] = list["captures"].as_array().unwrap().as_slice() else {
            panic!("{list}")
        };
        assert_eq!(newer["id"].to_string(), second);
        assert_eq!((&newer["lab"], &newer["mode"]), (&Value::Null, &"cpu".into()));
        assert_eq!(older["id"].to_string(), first);
        assert_eq!((&older["lab"], &older["variant"]), (&"n-plus-one".into(), &"join-all".into()));

        let path = format!("/debug/pprof/captures/{first}");
        assert_eq!(app.get_ops(&path).await.bytes().await.unwrap(), packed);
        let svg = app.get_ops(&format!("{path}?format=svg")).await;
        assert_eq!(header(&svg, "content-type"), "image/svg+xml");
        assert!(svg.text().await.unwrap().contains("n-plus-one, join-all"));

        let started = newer["started"].as_str().unwrap();
        for (time, found) in [
            (format!("at={started}"), vec![newer]),
            ("to=2020-01-31T00:00:00Z".to_owned(), vec![]),
            ("from=1577836800000".to_owned(), vec![newer, older]),
        ] {
            let path = format!("/debug/pprof/captures?{time}");
            let list: Value = app.get_ops(&path).await.json().await.unwrap();
            assert_eq!(list["captures"].as_array().unwrap().iter().collect::<Vec<_>>(), found);
        }
        let page = app.ops(Method::GET, "/debug/pprof/captures").header("accept", "text/html");
        let page = page.send().await.unwrap().text().await.unwrap();
        assert!(page.contains("n-plus-one, join-all"), "{page}");
    });
}

#[test]
#[cfg(target_os = "linux")]
fn the_difference_of_two_wall_profiles_shows_what_grew_and_what_shrank() {
    // A process of its own: threads of other tests sleep too.
    let server = Serving::start(&[("WORKER_THREADS", "2")]);
    let client = blocking::Client::builder().no_proxy().build().unwrap();
    let get = |path: &str| client.get(format!("http://{}/debug/pprof/{path}", server.ops)).send();
    let capture = |query: &str| {
        let answer = get(&format!("profile?seconds=1&{query}")).unwrap();
        assert_eq!(answer.status(), 200);
        answer.headers()["x-capture-id"].to_str().unwrap().to_owned()
    };
    // The title of a frame ends with its change, as a share of all.
    let sleeping = |a: &str, b: &str, more: &str| -> Vec<String> {
        let svg = get(&format!("diff?a={a}&b={b}{more}")).unwrap().text().unwrap();
        let lines = svg.lines().filter(|line| line.contains("clock_nanosleep"));
        lines.map(str::to_owned).collect()
    };
    let idle = capture("mode=wall&idle=1");
    let slow = server.url("/api/posts/v1/slow");
    for _ in 0..8 {
        let (client, slow) = (client.clone(), slow.clone());
        std::thread::spawn(move || client.get(slow).send());
    }
    server.wait_until_pending();
    let held = capture("mode=wall&idle=1");

    let grew = sleeping(&idle, &held, "");
    assert!(grew.iter().any(|line| line.contains("%; +")), "{grew:?}");
    let same = sleeping(&held, &held, "&scaled=0");
    assert!(!same.is_empty() && same.iter().all(|line| line.contains("; 0")), "{same:?}");
    assert_eq!(sleeping(&held, &idle, ""), [""; 0]);

    let cpu = capture("mode=cpu");
    let refused = get(&format!("diff?a={idle}&b={cpu}")).unwrap();
    assert_eq!(refused.status(), 422);
    assert_eq!(refused.json::<Value>().unwrap()["errors"][0]["field"], "b");
}

#[test]
fn what_a_profile_can_not_be_is_told_by_field() {
    let app = TestApp::start();
    app.run(async {
        for (path, fields) in [
            ("profile?mode=disk&seconds=0&hz=501&idle=2", vec!["mode", "seconds", "hz", "idle"]),
            ("profile?seconds=121", vec!["seconds"]),
            ("flamegraph?lab=nope", vec!["lab"]),
            ("flamegraph?lab=n-plus-one&variant=nope", vec!["variant"]),
            ("flamegraph?variant=slow", vec!["variant"]),
            ("heap?format=gif&seconds=-1", vec!["format", "seconds"]),
            ("captures?at=noon&from=1&to=-", vec!["at", "to"]),
            ("captures/1?format=gif", vec!["format"]),
            ("diff?a=one", vec!["a", "b"]),
        ] {
            let answer = app.get_ops(&format!("/debug/pprof/{path}")).await;
            assert_eq!(refused(answer).await, fields, "{path}");
        }
        for path in ["captures/1", "captures/one", "diff?a=1&b=2"] {
            let answer = app.get_ops(&format!("/debug/pprof/{path}")).await;
            assert_eq!(answer.status(), 404, "{path}");
            problem(answer).await;
        }
        let switch = app.ops(Method::PUT, "/debug/pprof/heap?active=yes&seconds=0").send().await;
        assert_eq!(refused(switch.unwrap()).await, ["active", "seconds"]);
    });
}

#[test]
fn a_client_that_goes_away_frees_the_profiler() {
    let _profiler = profiler();
    let app = TestApp::start();
    app.run(async {
        let long = "/debug/pprof/profile?mode=cpu&seconds=120";
        let soon = std::time::Duration::from_millis(300);
        let gone = app.ops(Method::GET, long).timeout(soon).send().await;
        assert!(gone.unwrap_err().is_timeout());
        while app.get_ops("/debug/pprof/profile?seconds=1").await.status() == 409 {}
        let list: Value = app.get_ops("/debug/pprof/captures").await.json().await.unwrap();
        assert_eq!(list["kept"], 1, "{list}");
    });
}

/// Not inlined, so that it has a name in the profile.
#[cfg(target_os = "linux")]
#[inline(never)]
fn hold_on_to(bytes: usize) -> Vec<Vec<u8>> {
    (0..bytes / 1024).map(|_| std::hint::black_box(vec![1; 1024])).collect()
}

#[test]
#[cfg(target_os = "linux")]
fn a_heap_profile_names_who_allocated_and_sampling_is_off_before_and_after() {
    let _profiler = profiler();
    let app = TestApp::start();
    app.run(async {
        let sampling = async || {
            let list: Value = app.get_ops("/debug/pprof/captures").await.json().await.unwrap();
            list["heap_sampling"].clone()
        };
        let of_us = async || {
            let taken = app.get_ops("/debug/pprof/heap?seconds=1").await;
            assert_eq!(taken.status(), 200);
            let heap = FrameReader::new(&taken.bytes().await.unwrap()).unwrap();
            let lines = heap.stacks();
            lines
                .iter()
                .filter(|(s, _)| s.contains("profiles::hold_on_to"))
                .map(|(_, n)| n)
                .sum::<u64>()
        };
        let put = async |query: &str| {
            let path = format!("/debug/pprof/heap?{query}");
            let answer = app.ops(Method::PUT, &path).send().await.unwrap();
            assert_eq!(answer.status(), 200);
            answer.json::<Value>().await.unwrap()
        };
        assert_eq!(sampling().await["active"], false);
        // What was there before sampling began is not seen.
        let before = hold_on_to(20_000_000);
        assert_eq!(of_us().await, 0);
        drop(before);

        let switched = put("active=true&seconds=3600").await;
        assert_eq!(
            (&switched["active"], &sampling().await["active"]),
            (&true.into(), &true.into())
        );
        assert!(switched["until"].as_str().unwrap().ends_with('Z'), "{switched}");
        let held = hold_on_to(20_000_000);
        // About one sample in 64 KiB, so 300 of them: twice or half as much is out of reach of chance.
        let seen = of_us().await;
        assert!((10_000_000..40_000_000).contains(&seen), "{seen}");
        drop(held);
        assert!(of_us().await < 1_000_000);

        assert_eq!(put("active=false").await["active"], false);
        put("active=true&seconds=1").await;
        while sampling().await["active"] == true {}
    });
}
