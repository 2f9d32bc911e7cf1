//! The request of a lab at a real server: it logs in, and the server gets what lab.json says.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::Query,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use product::api::auth::CurrentUser;
use serde_json::{Value, json};
use workshop::{Data, Handlers, Lab, Labs, LoadedLab, request::Caller};

use crate::{own_labs::evidence, support::TestApp};

async fn echo(
    user: CurrentUser,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> (StatusCode, Json<Value>) {
    let room = headers["x-room"].to_str().unwrap();
    let seen = json!({ "caller": user.id, "query": query, "room": room, "body": body });
    (StatusCode::CREATED, Json(seen))
}

fn echoing() -> &'static Lab {
    let mut evidence = evidence("echo", 1);
    evidence["request"] = json!({
        "method": "POST",
        "mount": "/api/labs/echo",
        "query": { "q": "ä b&{user}" },
        "headers": { "x-room": "room-{user}" },
        "log_in": true,
        "body": { "guest": "guest-{n}", "seat": "{user}", "tags": ["a"] },
    });
    evidence["answer"] = json!({
        "statuses": { "201": { "min": 0.9 }, "503": { "max": 0.1 } },
        "may_differ": ["caller", "guest"],
    });
    Box::leak(Box::new(Lab {
        id: "echo",
        evidence: evidence.to_string().leak(),
        readme: "",
        slow_source: "",
        fast_source: "",
        flow: None,
        counters: &[],
        data: Data::NONE,
        handlers: |_| {
            let of = || post(echo);
            Handlers { slow: of(), fast: of(), yours: of(), wrong: Vec::new() }
        },
    }))
}

async fn ask(caller: &Caller, loaded: &LoadedLab, user: u32) -> (u16, Value) {
    let answer = caller.request("fast", user).unwrap().send().await.unwrap();
    let status = answer.status().as_u16();
    assert!(loaded.evidence.answer.allows(status), "{status}");
    (status, answer.json().await.unwrap())
}

#[test]
fn each_virtual_user_sends_the_request_with_an_account_of_its_own() {
    let app = TestApp::start_with_labs(Labs::load(&[echoing()]).unwrap());
    let loaded = LoadedLab::new(echoing()).unwrap();
    app.run(async {
        let new = || Caller::new(app.http.clone(), app.url(), &loaded.evidence, 5);
        let caller = new().await.unwrap();
        let (status, first) = ask(&caller, &loaded, 1).await;
        assert_eq!((status, &first["room"]), (201, &json!("room-1")));
        assert_eq!(first["query"], json!({ "q": "ä b&1" }));
        assert_eq!((&first["body"]["seat"], &first["body"]["tags"]), (&json!(1), &json!(["a"])));
        let (_, again) = ask(&caller, &loaded, 1).await;
        let (_, other) = ask(&caller, &loaded, 5).await;
        assert_eq!(first["caller"], again["caller"]);
        assert_ne!(first["caller"], other["caller"]);
        assert_ne!(
            first["body"]["guest"], again["body"]["guest"],
            "no other request has the number"
        );
        let answer = &loaded.evidence.answer;
        assert_eq!(answer.comparable(first.clone()), answer.comparable(again));
        assert_ne!(answer.comparable(first.clone()), answer.comparable(other));

        // A later load finds the accounts, and logs in.
        let (_, later) = ask(&new().await.unwrap(), &loaded, 1).await;
        assert_eq!(later["caller"], first["caller"]);
        let refused = app.app(reqwest::Method::POST, "/api/labs/echo/v2/fast").send().await;
        assert_eq!(refused.unwrap().status(), 401, "without a token");
    });
}

#[test]
fn the_openapi_document_describes_the_request() {
    let app = TestApp::start_with_labs(Labs::load(&[echoing()]).unwrap());
    app.run(async {
        let document: Value = app.get("/api/openapi.json").await.json().await.unwrap();
        let operation = &document["paths"]["/api/labs/echo/v1/slow"]["post"];
        let body = &operation["requestBody"]["content"]["application/json"];
        assert_eq!(body["example"], json!({ "guest": "guest-1", "seat": 1, "tags": ["a"] }));
        let properties = &body["schema"]["properties"];
        let types = ["guest", "seat", "tags"].map(|name| properties[name]["type"].clone());
        assert_eq!(types, ["string", "integer", "array"]);
        let parameters = operation["parameters"].as_array().unwrap();
        let named = |p: &Value| (p["name"].clone(), p["in"].clone(), p["required"].clone());
        let parameters: Vec<_> = parameters.iter().map(named).collect();
        let of = |name: &str, place: &str| (json!(name), json!(place), json!(true));
        assert_eq!(parameters, [of("q", "query"), of("x-room", "header")]);
        assert_eq!(operation["security"], json!([{ "bearer": [] }]));
        for status in ["201", "401", "503"] {
            assert!(operation["responses"][status].is_object(), "{status}");
        }
    });
}
