//! Profiles are kept, found and compared; invalid queries are refused.

use reqwest::{Method, Response, blocking};
use serde_json::Value;

use crate::{
    profiles::profiler,
    program::Serving,
    support::{TestApp, header, problem},
};

/// Fields that a 422 names.
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
    // Needs its own process, because threads of other tests sleep too.
    let server = Serving::start(&[("WORKER_THREADS", "2")]);
    let client = blocking::Client::builder().no_proxy().build().unwrap();
    let get = |path: &str| client.get(format!("http://{}/debug/pprof/{path}", server.ops)).send();
    let capture = |query: &str| {
        let answer = get(&format!("profile?seconds=1&{query}")).unwrap();
        assert_eq!(answer.status(), 200);
        answer.headers()["x-capture-id"].to_str().unwrap().to_owned()
    };
    // The title of a frame ends with its change, in percent of all samples.
    let sleeping = |a: &str, b: &str, more: &str| -> Vec<f64> {
        let svg = get(&format!("diff?a={a}&b={b}{more}")).unwrap().text().unwrap();
        let titles = svg.split("<title>").filter_map(|title| title.split_once("</title>"));
        let sleeps = titles.filter(|(title, _)| title.contains("clock_nanosleep ("));
        let change = |title: &str| title.rsplit("; ").next()?.strip_suffix("%)")?.parse().ok();
        sleeps.map(|(title, _)| change(title).unwrap()).collect()
    };
    let idle = capture("mode=wall&idle=1");
    let slow = server.url("/api/posts/v1/slow");
    let ask = |_| {
        let (client, slow) = (client.clone(), slow.clone());
        std::thread::spawn(move || client.get(slow).send())
    };
    let requests: Vec<_> = (0..8).map(ask).collect();
    server.wait_until_pending(|| requests.iter().all(|request| request.is_finished()));
    let held = capture("mode=wall&idle=1");

    let grew = sleeping(&idle, &held, "");
    let change: f64 = grew.iter().sum();
    assert!(change > 1.0 && change <= 100.0, "{grew:?}");
    let same = sleeping(&held, &held, "&scaled=0");
    assert!(!same.is_empty() && same.iter().all(|change| *change == 0.0), "{same:?}");
    assert_eq!(sleeping(&held, &idle, ""), [0.0; 0]);

    let cpu = capture("mode=cpu");
    let refused = get(&format!("diff?a={idle}&b={cpu}")).unwrap();
    assert_eq!(refused.status(), 422);
    assert_eq!(refused.json::<Value>().unwrap()["errors"][0]["field"], "b");
}

#[test]
fn an_invalid_profile_query_is_reported_by_field() {
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
