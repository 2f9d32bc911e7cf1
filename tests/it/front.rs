//! The front end as it is served: the page, its files, their caches, and where it finds ops.

use std::{collections::BTreeSet, fs, path::Path};

use reqwest::{Method, Response, header::IF_NONE_MATCH};

use crate::support::{TestApp, header, problem};

/// Values of an attribute in the page.
fn values(html: &str, attribute: &str) -> BTreeSet<String> {
    let start = format!(" {attribute}=\"");
    html.split(&start).skip(1).filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())).collect()
}

/// Paths of the files that the page names.
fn files(html: &str) -> BTreeSet<String> {
    let named = &values(html, "href") | &values(html, "src");
    named.into_iter().filter(|path| path.starts_with("/web/")).collect()
}

async fn page(app: &TestApp) -> String {
    let answer = app.get("/").await;
    assert_eq!(answer.status(), 200);
    assert_eq!(header(&answer, "content-type"), "text/html; charset=utf-8");
    assert_eq!(header(&answer, "cache-control"), "no-cache");
    assert_eq!(header(&answer, "content-security-policy"), "default-src 'self'");
    answer.text().await.unwrap()
}

/// Asks again, with the tag of the answer before.
async fn again(app: &TestApp, path: &str, before: &Response) -> Response {
    let request = app.app(Method::GET, path).header(IF_NONE_MATCH, header(before, "etag"));
    request.send().await.unwrap()
}

#[test]
fn every_file_of_the_page_is_served_and_kept_for_ever() {
    let app = TestApp::start();
    app.run(async {
        let html = page(&app).await;
        let files = files(&html);
        assert!(files.len() > 25, "{files:?}");
        for path in &files {
            let answer = app.get(path).await;
            assert_eq!(answer.status(), 200, "{path}");
            let content_type = match path.rsplit('.').next() {
                Some("js") => "text/javascript; charset=utf-8",
                Some("css") => "text/css; charset=utf-8",
                _ => "image/svg+xml",
            };
            assert_eq!(header(&answer, "content-type"), content_type, "{path}");
            assert_eq!(header(&answer, "cache-control"), "public, max-age=31536000, immutable");
            assert_eq!(header(&answer, "x-content-type-options"), "nosniff");
            let same = again(&app, path, &answer).await;
            assert_eq!((same.status().as_u16(), same.content_length()), (304, Some(0)), "{path}");
        }
        let answer = app.get("/").await;
        assert_eq!(again(&app, "/", &answer).await.status(), 304);
    });
}

#[test]
fn a_module_names_only_files_that_the_page_loads_ahead() {
    let app = TestApp::start();
    app.run(async {
        let html = page(&app).await;
        let ahead = files(&html);
        let base = reqwest::Url::parse("http://page").unwrap();
        for path in ahead.iter().filter(|path| path.ends_with(".js")) {
            let text = app.get(path).await.text().await.unwrap();
            let named =
                text.split(" from '").skip(1).filter_map(|rest| Some(rest.split_once('\'')?.0));
            for named in named {
                let named = base.join(path).unwrap().join(named).unwrap().path().to_owned();
                assert!(ahead.contains(&named), "{path} names {named}");
            }
        }
    });
}

#[test]
fn a_file_of_another_version_is_served_and_not_kept_under_it() {
    let app = TestApp::start();
    app.run(async {
        for version in ["0123456789ab", "x"] {
            let answer = app.get(&format!("/web/{version}/front/main.js")).await;
            assert_eq!(
                (answer.status().as_u16(), header(&answer, "cache-control")),
                (200, "no-cache")
            );
        }
    });
}

#[test]
fn nothing_else_is_served_from_there() {
    let app = TestApp::start();
    app.run(async {
        for path in [
            "/web/",
            "/web/x/",
            "/web/x/front",
            "/web/x/front/",
            "/web/x/front/none.js",
            "/web/x/vendor/VENDORED.json",
            "/web/x/../Cargo.toml",
            "/web/x/..%2fCargo.toml",
            "/web/x/front%2f..%2f..%2fCargo.toml",
            "/web/x/%2fetc%2fpasswd",
            "/web/x/front/main.js%00",
        ] {
            let answer = app.get(path).await;
            assert_eq!(answer.status(), 404, "{path}");
            problem(answer).await;
        }
    });
}

#[test]
fn the_page_has_nothing_inline_which_its_policy_would_refuse() {
    let app = TestApp::start();
    app.run(async {
        let html = page(&app).await;
        assert_eq!(
            html.matches("<script").count(),
            html.matches("<script type=\"module\" src=\"/web/").count()
        );
        for inline in ["<style", " style=", " onclick=", " onload=", "javascript:", "http-equiv"] {
            assert!(!html.contains(inline), "{inline}");
        }
    });
}

#[test]
fn the_page_and_each_answer_say_where_ops_is_if_that_is_set() {
    let app = TestApp::start();
    app.run(async {
        let html = page(&app).await;
        assert!(!html.contains("ops-url"), "{html}");
        let port = app.ops_url().rsplit(':').next().unwrap().to_owned();
        assert!(
            html.contains(&format!("name=\"ops-port\" content=\"{port}\" data-local")),
            "{html}"
        );
        assert!(app.get("/api/posts").await.headers().get("x-ops-url").is_none());
    });
    let app = TestApp::start_with(&["--ops-public-url", "http://ops.example:8081/"]);
    app.run(async {
        assert!(page(&app).await.contains("name=\"ops-url\" content=\"http://ops.example:8081\""));
        for path in ["/", "/api/posts", "/api/v2/todos", "/nothing"] {
            assert_eq!(
                header(&app.get(path).await, "x-ops-url"),
                "http://ops.example:8081",
                "{path}"
            );
        }
    });
}

#[test]
fn modules_fit_a_screen_and_say_what_they_are() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("web/front");
    let mut modules = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let start = match path.extension().and_then(|end| end.to_str()) {
            Some("js") => "//! ",
            Some("css") => "/* ",
            _ => continue,
        };
        modules += 1;
        assert!(text.starts_with(start), "{}", path.display());
        assert!(text.lines().count() <= 150, "{}", path.display());
        assert!(!text.contains("eval(") && !text.contains("innerHTML"), "{}", path.display());
    }
    assert!(modules > 25, "{modules}");
}
