//! Pages of the ops port: the catalogue, a lab's stage, two traces on one scale, errors for browsers, and the
//! files that the pages need.

use reqwest::{Method, Response};
use serde_json::Value;

use crate::{
    profiles::profiler,
    support::{TestApp, header, labs, problem},
};

async fn page(app: &TestApp, path: &str) -> (u16, String) {
    let answer = app.ops(Method::GET, path).header("accept", "text/html,*/*").send().await.unwrap();
    assert_eq!(header(&answer, "content-type"), "text/html; charset=utf-8", "{path}");
    assert_eq!(header(&answer, "content-security-policy"), "default-src 'self'", "{path}");
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    // What the policy forbids; data for scripts is in attributes.
    let forbidden = [" style=", "<style", "<script>", " onclick=", "javascript:"];
    assert!(!forbidden.iter().any(|part| text.contains(part)), "{path}: {text}");
    (status, text)
}

#[test]
fn the_catalogue_has_every_lab_in_order_below_its_area() {
    let app = TestApp::start();
    app.run(async {
        for path in ["/", "/labs", "/labs/"] {
            let (status, text) = page(&app, path).await;
            assert_eq!(status, 200);
            let mut rest = &*text;
            for loaded in labs().all() {
                let link = format!("href=\"/labs/{}\"", loaded.lab.id);
                let (before, after) =
                    rest.split_once(&link).unwrap_or_else(|| panic!("{link} in {path}"));
                let area = format!("<h2>{}</h2>", loaded.evidence.area.title());
                assert!(text.contains(&area), "{area}");
                if loaded.evidence.order == 1 {
                    assert!(before.contains(&area), "{area} comes before {link}");
                }
                rest = after;
            }
        }
        let json: Value = app.get_ops("/labs/").await.json().await.unwrap();
        assert_eq!(json.as_array().unwrap().len(), labs().all().len());
    });
}

#[test]
fn a_stage_has_the_request_of_its_lab_and_keeps_the_answer_folded() {
    let app = TestApp::start();
    app.run(async {
        for loaded in labs().all() {
            let id = loaded.lab.id;
            let (status, text) = page(&app, &format!("/labs/{id}")).await;
            assert_eq!(status, 200);
            let slow = format!("{}{}", app.url(), loaded.evidence.route("slow"));
            for program in ["oha -z", "wrk -t1"] {
                let line = text.lines().find(|line| line.contains(program)).unwrap();
                assert!(line.contains(&slow), "{id}: {line}");
            }
            assert!(
                text.contains(&format!("-e LAB={id} -e VARIANT=fast -e BASE_URL={}", app.url()))
            );
            for heading in ["See it", "Cause", "Fix", "Wrong fixes"] {
                let folded = format!("<details class=\"part\"><summary><h3>{heading}</h3>");
                assert!(text.contains(&folded), "{id}: {heading} is open, or missing");
            }
            assert!(text.contains("<details class=\"diff\" data-diff>"), "{id}");
            // A wrong fix can be raced, and every hint is there.
            for variant in loaded.evidence.variants() {
                assert!(text.contains(&format!("<option value=\"{variant}\"")), "{id}: {variant}");
            }
            assert_eq!(text.matches("<li hidden>").count(), loaded.evidence.hints.len(), "{id}");
        }
    });
}

#[test]
fn two_traces_are_drawn_on_one_scale() {
    let app = TestApp::start();
    app.run(async {
        let (slow, fast) =
            (app.get("/api/posts/v1/slow").await, app.get("/api/posts/v2/fast").await);
        let (slow, fast) = (header(&slow, "x-trace-id"), header(&fast, "x-trace-id"));
        let (status, text) = page(&app, &format!("/debug/traces/compare?a={slow}&b={fast}")).await;
        assert_eq!(status, 200);
        assert_eq!(text.matches("<svg class=\"waterfall\"").count(), 2, "{text}");
        let held = text.find("It held a worker for").unwrap();
        assert!(held < text.find("The same query 100 times").unwrap(), "the cause comes first");
        // Both pictures end at the same time.
        let ends: Vec<_> = text.split("text-anchor=\"end\">").skip(1).collect();
        let end = |text: &str| text.split('<').next().unwrap().to_owned();
        assert!(ends.iter().any(|text| end(text).ends_with(" ms")), "{ends:?}");
        for (query, fields) in [
            ("", vec!["a", "b"]),
            (&*format!("a={slow}"), vec!["b"]),
            (&*format!("a={slow}&b=x"), vec!["b"]),
        ] {
            let answer = app.get_ops(&format!("/debug/traces/compare?{query}")).await;
            assert_eq!(answer.status(), 422, "{query}");
            let errors = problem(answer).await["errors"].take();
            let named: Vec<_> =
                errors.as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap()).collect();
            assert_eq!(named, fields, "{query}");
        }
        let gone = format!("/debug/traces/compare?a={slow}&b={}", "a".repeat(32));
        assert_eq!(app.get_ops(&gone).await.status(), 404);
    });
}

#[test]
fn a_kept_profile_is_text_too_one_line_for_each_stack() {
    let _profiler = profiler();
    let app = TestApp::start();
    app.run(async {
        let taken = app.get_ops("/debug/pprof/profile?mode=wall&seconds=1&idle=1").await;
        let id = header(&taken, "x-capture-id").to_owned();
        let list: Value = app.get_ops("/debug/pprof/captures").await.json().await.unwrap();
        let text = app
            .get_ops(&format!("/debug/pprof/captures/{id}?format=stacks"))
            .await
            .text()
            .await
            .unwrap();
        let total: u64 =
            text.lines().map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap()).sum();
        assert_eq!(list["captures"][0]["total"], total);
        assert!(text.lines().any(|line| line.starts_with("app-") && line.contains(';')), "{text}");
    });
}

#[test]
fn errors_are_pages_for_browsers_and_json_for_all_others() {
    let app = TestApp::start();
    app.run(async {
        for (path, status) in
            [("/nothing", 404), ("/labs/nothing", 404), ("/debug/traces?status=x", 422)]
        {
            let json = app.get_ops(path).await;
            assert_eq!(json.status(), status, "{path}");
            let problem = problem(json).await;
            let (shown, text) = page(&app, path).await;
            assert_eq!(shown, status, "{path}");
            let detail = problem["detail"].as_str().unwrap().split('"').next().unwrap();
            assert!(text.to_lowercase().contains(&detail.to_lowercase()), "{path}: {text}");
        }
    });
}

#[test]
fn files_of_the_pages_are_known_by_their_tag_and_only_speedscope_may_be_framed() {
    let app = TestApp::start();
    app.run(async {
        let file = async |path: &str| -> Response { app.get_ops(&format!("/assets/{path}")).await };
        let script = file("stage/stage.js").await;
        assert_eq!(
            (script.status().as_u16(), header(&script, "content-type")),
            (200, "text/javascript")
        );
        assert_eq!(header(&script, "x-frame-options"), "DENY");
        let tag = header(&script, "etag");
        let again = app
            .ops(Method::GET, "/assets/stage/stage.js")
            .header("if-none-match", tag)
            .send()
            .await;
        assert_eq!(again.unwrap().status(), 304);

        let framed = file("vendor/speedscope/dist/release/index.html").await;
        assert_eq!(header(&framed, "x-frame-options"), "SAMEORIGIN");
        let policy = header(&framed, "content-security-policy");
        for part in [
            "default-src 'self';",
            "style-src 'self' 'unsafe-inline';",
            "script-src 'self' 'wasm-unsafe-eval';",
            "img-src 'self' data:",
        ] {
            assert!(policy.contains(part), "{policy}");
        }
        assert_eq!(file("vendor/speedscope/LICENSE").await.headers()["x-frame-options"], "DENY");
        for path in [
            "",
            "stage/",
            "stage/nothing.js",
            "..%2f..%2fCargo.toml",
            "%ff",
            "vendor/VENDORED.json/",
        ] {
            assert_eq!(file(path).await.status(), 404, "{path}");
        }
        for icon in ["/favicon.svg", "/favicon.ico"] {
            assert_eq!(header(&app.get_ops(icon).await, "content-type"), "image/svg+xml");
        }
    });
}
