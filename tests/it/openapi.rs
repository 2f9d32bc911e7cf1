//! The OpenAPI document describes all routes that are served, and no others.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;

use crate::support::{TestApp, header, problem};

/// Routes for people and browsers: HTML, style, and the page that shows the document.
const NOT_DESCRIBED: [&str; 5] =
    ["/", "/web/{version}/{*path}", "/docs", "/docs/", "/docs/{*rest}"];

pub async fn document(app: &TestApp) -> Value {
    let response = app.get("/api/openapi.json").await;
    assert_eq!(response.status(), 200);
    assert_eq!(header(&response, "content-type"), "application/json");
    response.json().await.unwrap()
}

/// Path, method and description of every operation.
pub fn operations(document: &Value) -> Vec<(&str, String, &Value)> {
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            operations.push((path.as_str(), method.to_uppercase(), operation));
        }
    }
    operations
}

/// Path with a value for each parameter.
pub fn filled(template: &str) -> String {
    let fill = |segment: &str| if segment.starts_with('{') { "1".into() } else { segment.into() };
    template.split('/').map(fill).collect::<Vec<String>>().join("/")
}

#[test]
fn the_document_describes_every_route_and_no_other() {
    let app = TestApp::start();
    app.run(async {
        let document = document(&app).await;
        let described: BTreeSet<_> =
            operations(&document).into_iter().map(|(p, m, _)| (p.to_owned(), m)).collect();
        let mut served = BTreeSet::new();
        let paths = app.paths();
        for known in NOT_DESCRIBED {
            assert!(paths.iter().any(|path| path == known), "{known} is not served");
        }
        for path in paths.into_iter().filter(|path| !NOT_DESCRIBED.contains(&path.as_str())) {
            // The 405 for an unknown method lists the known ones.
            let probe = Method::from_bytes(b"PROBE").unwrap();
            let refused = app.app(probe, &filled(&path)).send().await.unwrap();
            assert_eq!(refused.status(), 405, "{path}");
            for method in header(&refused, "allow").split(',').filter(|m| *m != "HEAD") {
                served.insert((path.clone(), method.to_owned()));
            }
        }
        assert_eq!(served, described);
    });
}

/// True if the answer has a description, which OpenAPI requires.
fn is_described(answer: &Value) -> bool {
    answer["description"].as_str().is_some_and(|words| !words.trim().is_empty())
}

#[test]
fn every_operation_says_what_it_does_and_how_it_fails() {
    let app = TestApp::start();
    app.run(async {
        let document = document(&app).await;
        assert_eq!(document["openapi"], "3.1.0");
        assert_eq!(document["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
        let tags = document["tags"].as_array().unwrap();
        assert!(tags.iter().all(|tag| tag["description"].is_string()));
        let mut ids = BTreeSet::new();
        for (path, method, operation) in operations(&document) {
            let which = format!("{method} {path}");
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id), "{which} has the id of another");
            // Generators make a function name of it, in the style of their language.
            assert!(id.starts_with(|first: char| first.is_ascii_lowercase()), "{id}");
            let mut words = id.split('_');
            let is_part = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
            assert!(words.all(|word| !word.is_empty() && word.bytes().all(is_part)), "{id}");
            assert!(operation["summary"].is_string(), "{which} has no summary");
            let used = operation["tags"].as_array().unwrap();
            assert_eq!(used.len(), 1, "{which}");
            assert!(tags.iter().any(|tag| tag["name"] == used[0]), "{which} {used:?}");
            for (status, answer) in operation["responses"].as_object().unwrap() {
                assert!(!answer["$ref"].is_null() || is_described(answer), "{which} {status}");
                if status.starts_with(['4', '5']) {
                    let shared = answer["$ref"].as_str().unwrap_or_default();
                    assert!(shared.starts_with("#/components/responses/"), "{which} {status}");
                } else {
                    assert!(answer["headers"]["x-request-id"].is_object(), "{which} {status}");
                    assert_eq!(answer["content"].is_null(), status == "204", "{which} {status}");
                }
            }
            if path.starts_with("/api/") && path != "/api/openapi.json" {
                assert!(operation["responses"]["503"].is_object(), "{which}");
            }
            if operation["security"].is_array() {
                assert!(operation["responses"]["401"].is_object(), "{which}");
            }
            if let Some(body) = operation.get("requestBody") {
                assert!(body["content"]["application/json"]["schema"].is_object(), "{which}");
                assert!(operation["responses"]["422"].is_object(), "{which}");
            }
        }
        let components = &document["components"];
        let is_name = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        for (name, _) in
            components.as_object().unwrap().values().flat_map(|c| c.as_object().unwrap())
        {
            assert!(name.chars().all(is_name), "{name}");
        }
        for (name, answer) in components["responses"].as_object().unwrap() {
            assert!(is_described(answer), "{name} has no description");
            let problem = &answer["content"]["application/problem+json"];
            assert_eq!(problem["schema"]["$ref"], "#/components/schemas/Problem", "{name}");
        }
    });
}

/// All objects of a document.
fn objects(document: &Value) -> Vec<&serde_json::Map<String, Value>> {
    let mut found = Vec::new();
    let mut left = vec![document];
    while let Some(value) = left.pop() {
        match value {
            Value::Object(fields) => {
                found.push(fields);
                left.extend(fields.values());
            }
            Value::Array(items) => left.extend(items),
            _ => {}
        }
    }
    found
}

#[test]
fn schemas_mean_the_same_to_every_reader() {
    let app = TestApp::start();
    app.run(async {
        let document = document(&app).await;
        let mut patterns = 0;
        for schema in objects(&document) {
            let is_type = |name| {
                schema.get("type").is_some_and(|t| t == name || t[0] == name || t[1] == name)
            };
            let is_open =
                ["properties", "additionalProperties"].iter().any(|k| schema.contains_key(*k));
            // Some generators would make a type without members from it.
            assert!(!is_type("object") || is_open, "{schema:?}");
            if let Some(pattern) = schema.get("pattern").and_then(Value::as_str) {
                // Character classes that differ between regex engines.
                for class in [r"\s", r"\S", r"\w", r"\W", r"\d", r"\D", r"\b"] {
                    assert!(!pattern.contains(class), "{pattern}");
                }
                assert!(pattern.starts_with('^') && pattern.ends_with('$'), "{pattern}");
                patterns += 1;
            }
        }
        assert!(patterns > 0);
    });
}

#[test]
fn every_reference_leads_somewhere() {
    let app = TestApp::start();
    app.run(async {
        let document = document(&app).await;
        let mut found = 0;
        for object in objects(&document) {
            if let Some(reference) = object.get("$ref").and_then(Value::as_str) {
                let pointer = reference.strip_prefix('#').unwrap();
                assert!(document.pointer(pointer).is_some(), "{reference}");
                found += 1;
            }
        }
        assert!(found > 0);
    });
}

#[test]
fn the_page_for_people_is_served_with_all_it_loads() {
    let app = TestApp::start();
    app.run(async {
        // The client follows the redirect from /docs.
        let page = app.get("/docs").await;
        assert_eq!(page.url().path(), "/docs/");
        assert!(header(&page, "content-security-policy").starts_with("default-src 'self'"));
        let html = page.text().await.unwrap();
        let mut files = Vec::new();
        for attribute in ["src=\"", "href=\""] {
            let values = html.split(attribute).skip(1).filter_map(|rest| rest.split('"').next());
            files.extend(values.map(str::to_owned));
        }
        assert!(files.len() >= 4, "{files:?}");
        for file in files {
            assert!(!file.contains("//"), "{file} is on another host");
            let response = app.get(&format!("/docs/{}", file.trim_start_matches("./"))).await;
            assert_eq!(response.status(), 200, "{file}");
        }
        let missing = app.get("/docs/nope").await;
        assert_eq!(missing.status(), 404);
        problem(missing).await;
        assert!(app.get("/").await.text().await.unwrap().contains("href=\"/docs\""));
    });
}
