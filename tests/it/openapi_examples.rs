//! The server accepts every example of the OpenAPI document.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    openapi::{document, filled, operations},
    support::TestApp,
};

/// Statuses of a request that is refused for its content or its path.
const REFUSED: [StatusCode; 5] = [
    StatusCode::BAD_REQUEST,
    StatusCode::NOT_FOUND,
    StatusCode::PAYLOAD_TOO_LARGE,
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
    StatusCode::UNPROCESSABLE_ENTITY,
];

/// First example of a schema, or one made of its parts' examples.
fn example(document: &Value, schema: &Value) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        return example(document, document.pointer(&reference[1..]).unwrap());
    }
    let given = [&schema["example"], &schema["examples"][0], &schema["default"]];
    if let Some(given) = given.into_iter().find(|given| !given.is_null()) {
        return given.clone();
    }
    if !schema["oneOf"].is_null() {
        return example(document, &schema["oneOf"][0]);
    }
    if !schema["items"].is_null() {
        return json!([example(document, &schema["items"])]);
    }
    let properties = schema["properties"].as_object();
    let properties = properties.unwrap_or_else(|| panic!("no example: {schema}"));
    properties.iter().map(|(name, of)| (name.clone(), example(document, of))).collect()
}

#[test]
fn every_example_is_taken() {
    let app = TestApp::start();
    app.run(async {
        let document = document(&app).await;
        let user = app.sign_up("reader").await;
        let mut ids = Vec::new();
        for path in ["/api/v2/todos", "/api/posts"] {
            let body = json!({"title": "t", "body": "b"});
            let made = app.as_user(&user, Method::POST, path).json(&body).send().await.unwrap();
            ids.push(made.json::<Value>().await.unwrap()["id"].to_string());
        }
        let mut sent = 0;
        for (path, method, operation) in operations(&document) {
            let content = &operation["requestBody"]["content"]["application/json"];
            if content.is_object() {
                let url = path.replace("{id}", &ids[usize::from(path.starts_with("/api/posts"))]);
                // The example of the whole body, which labs have, or one made of its schema's.
                let given = Some(&content["example"]).filter(|given| !given.is_null());
                let body = given.cloned().unwrap_or_else(|| example(&document, &content["schema"]));
                let method = Method::from_bytes(method.as_bytes()).unwrap();
                let answer = app.as_user(&user, method, &url).json(&body).send().await.unwrap();
                let status = answer.status();
                assert!(
                    !REFUSED.contains(&status) && !status.is_server_error(),
                    "{status} {url} {body}"
                );
                sent += 1;
            }
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let given = &parameter["example"];
                if given.is_null() {
                    continue;
                }
                let name = parameter["name"].as_str().unwrap();
                let given = given.as_str().map_or_else(|| given.to_string(), str::to_owned);
                let url = match parameter["in"].as_str() {
                    Some("path") => path.replace(&format!("{{{name}}}"), &given),
                    _ => format!("{}?{name}={given}", filled(path)),
                };
                let answer = app.as_user(&user, Method::GET, &url).send().await.unwrap();
                assert_eq!(answer.status(), 200, "{url}");
                sent += 1;
            }
        }
        assert!(sent > 15, "{sent}");
    });
}
