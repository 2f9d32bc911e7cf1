//! Todos in the API, the same on v1 and v2.

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::support::{Session, TestApp, header, problem};

const VERSIONS: [&str; 2] = ["/api/v1", "/api/v2"];

struct Todos<'a> {
    app: &'a TestApp,
    session: &'a Session,
    base: String,
}

impl Todos<'_> {
    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Response {
        let path = format!("{}/todos{path}", self.base);
        let request = self.app.as_user(self.session, method, &path);
        let request = if let Some(body) = body { request.json(body) } else { request };
        request.send().await.unwrap()
    }

    async fn create(&self, body: Value) -> Value {
        let answer = self.send(Method::POST, "", Some(&body)).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        let location = header(&answer, "location").to_owned();
        let todo: Value = answer.json().await.unwrap();
        assert_eq!(location, format!("{}/todos/{}", self.base, todo["id"]));
        todo
    }

    async fn list(&self) -> Vec<Value> {
        let answer = self.send(Method::GET, "", None).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(header(&answer, "content-type"), "application/json");
        answer.json().await.unwrap()
    }

    async fn get(&self, id: &Value) -> Response {
        self.send(Method::GET, &format!("/{id}"), None).await
    }

    async fn put(&self, id: &Value, body: Value) -> Value {
        let answer = self.send(Method::PUT, &format!("/{id}"), Some(&body)).await;
        assert_eq!(answer.status(), StatusCode::OK);
        answer.json().await.unwrap()
    }

    async fn bad_fields(&self, method: Method, path: &str, body: Value) -> Vec<String> {
        let answer = self.send(method, path, Some(&body)).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        let problem = problem(answer).await;
        let errors = problem["errors"].as_array().unwrap();
        errors.iter().map(|error| error["field"].as_str().unwrap().to_owned()).collect()
    }
}

/// Runs a test with a new user on each version.
async fn on_both(app: &TestApp, name: &str, test: impl AsyncFn(Todos<'_>)) {
    for base in VERSIONS {
        let name = format!("{name}_{}", &base[5..]);
        let session = app.sign_up(&name).await;
        test(Todos { app, session: &session, base: base.to_owned() }).await;
    }
}

#[test]
fn a_todo_is_created_read_changed_and_deleted() {
    let app = TestApp::start();
    app.run(on_both(&app, "todo_life", async |todos| {
        assert_eq!(todos.list().await, Vec::<Value>::new());
        let todo = todos.create(json!({"title": "one", "description": "d"})).await;
        assert_eq!(todo["title"], "one");
        assert_eq!(todo["description"], "d");
        assert_eq!(todo["completed"], false);
        assert_eq!(todo["user_id"], todos.session.user_id);
        let id = &todo["id"];
        assert_eq!(todos.get(id).await.json::<Value>().await.unwrap(), todo);
        assert_eq!(todos.list().await, std::slice::from_ref(&todo));

        let done = todos.put(id, json!({"completed": true})).await;
        assert_eq!((&done["completed"], &done["title"]), (&json!(true), &todo["title"]));
        assert_eq!(done["description"], "d");
        assert_eq!(done["created_at"], todo["created_at"]);
        assert_ne!(done["updated_at"], todo["updated_at"]);
        assert_eq!(todos.get(id).await.json::<Value>().await.unwrap(), done);
        assert_eq!(todos.list().await, std::slice::from_ref(&done));
        let cleared = todos.put(id, json!({"description": null, "title": "two"})).await;
        assert_eq!((&cleared["description"], &cleared["title"]), (&Value::Null, &json!("two")));
        assert_eq!(todos.put(id, json!({})).await, cleared);

        let gone = todos.send(Method::DELETE, &format!("/{id}"), None).await;
        assert_eq!(gone.status(), StatusCode::NO_CONTENT);
        assert_eq!(gone.bytes().await.unwrap().len(), 0);
        assert_eq!(problem(todos.get(id).await).await["status"], 404);
        assert_eq!(todos.list().await, Vec::<Value>::new());
        let again = todos.send(Method::DELETE, &format!("/{id}"), None).await;
        assert_eq!(again.status(), StatusCode::NOT_FOUND);
    }));
}

#[test]
fn anothers_todo_is_none() {
    let app = TestApp::start();
    app.run(on_both(&app, "todo_owner", async |todos| {
        let todo = todos.create(json!({"title": "mine"})).await;
        let id = &todo["id"];
        // Cached for its owner, and still hidden from others.
        assert_eq!(todos.get(id).await.status(), StatusCode::OK);
        let name = format!("todo_other_{}", &todos.base[5..]);
        let other = todos.app.sign_up(&name).await;
        let others = Todos { session: &other, base: todos.base.clone(), ..todos };
        assert_eq!(others.get(id).await.status(), StatusCode::NOT_FOUND);
        for (method, body) in [(Method::PUT, Some(json!({"title": "his"}))), (Method::DELETE, None)]
        {
            let answer = others.send(method, &format!("/{id}"), body.as_ref()).await;
            assert_eq!(answer.status(), StatusCode::NOT_FOUND);
        }
        assert_eq!(others.list().await, Vec::<Value>::new());
        // A demo todo: its owner can't log in.
        assert_eq!(others.get(&json!(1)).await.status(), StatusCode::NOT_FOUND);
        assert_eq!(todos.get(id).await.json::<Value>().await.unwrap(), todo);
    }));
}

#[test]
fn nothing_is_answered_without_a_token() {
    let app = TestApp::start();
    app.run(async {
        for base in VERSIONS {
            for (method, path) in [
                (Method::GET, "/todos"),
                (Method::POST, "/todos"),
                (Method::GET, "/todos/1"),
                (Method::PUT, "/todos/1"),
                (Method::DELETE, "/todos/1"),
                (Method::GET, "/todos/-1"),
            ] {
                let answer = app.app(method, &format!("{base}{path}")).send().await.unwrap();
                assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path}");
                assert!(header(&answer, "www-authenticate").starts_with("Bearer"));
            }
        }
    });
}

#[test]
fn every_bad_field_is_named() {
    let app = TestApp::start();
    app.run(on_both(&app, "todo_fields", async |todos| {
        let id = todos.create(json!({"title": "t".repeat(200)})).await["id"].clone();
        let one = format!("/{id}");
        let long = "ö".repeat(10_001);
        let all = ["title", "description", "completed"];
        let post = |body| todos.bad_fields(Method::POST, "", body);
        let put = |body| todos.bad_fields(Method::PUT, &one, body);
        let bad = || json!({"title": "", "description": long, "completed": "no"});
        assert_eq!(post(bad()).await, all);
        assert_eq!(put(bad()).await, all);
        assert_eq!(post(json!({})).await, ["title"]);
        for title in [json!("  \t "), json!("t".repeat(201)), json!(null), json!("\0"), json!(7)] {
            assert_eq!(post(json!({"title": title})).await, ["title"], "{title}");
            assert_eq!(put(json!({"title": title})).await, ["title"], "{title}");
        }
        assert_eq!(put(json!([])).await, ["body"]);
        let queried = todos.send(Method::GET, "?limit=0&cursor=x", None).await;
        assert_eq!(problem(queried).await["errors"].as_array().unwrap().len(), 2);
        for id in ["x", "1.5", "99999999999999999999"] {
            let answer = todos.send(Method::GET, &format!("/{id}"), None).await;
            assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{id}");
        }
    }));
}

#[test]
fn the_list_is_newest_first_and_can_be_read_in_parts() {
    let app = TestApp::start();
    app.run(on_both(&app, "todo_list", async |todos| {
        for n in 0..5 {
            todos.create(json!({"title": format!("{n}")})).await;
        }
        let list = todos.list().await;
        let titles: Vec<_> = list.iter().map(|todo| todo["title"].as_str().unwrap()).collect();
        assert_eq!(titles, ["4", "3", "2", "1", "0"]);
        let mut parts = Vec::new();
        let mut query = "?limit=2".to_owned();
        loop {
            let answer = todos.send(Method::GET, &query, None).await;
            let part: Vec<Value> = answer.json().await.unwrap();
            let Some(last) = part.last() else { break };
            query = format!("?limit=2&cursor={}", last["id"]);
            parts.extend(part);
        }
        assert_eq!(parts, list);
    }));
}

#[test]
fn two_changes_at_once_both_last() {
    let app = TestApp::start();
    app.run(on_both(&app, "todo_race", async |todos| {
        let id = todos.create(json!({"title": "t"})).await["id"].clone();
        for n in 0..20 {
            let title = format!("{n}");
            let changes = (
                todos.put(&id, json!({"title": title})),
                todos.put(&id, json!({"description": title})),
            );
            tokio::join!(changes.0, changes.1);
            let todo: Value = todos.get(&id).await.json().await.unwrap();
            assert_eq!((&todo["title"], &todo["description"]), (&json!(title), &json!(title)));
        }
    }));
}

#[test]
fn what_a_write_answered_is_what_every_read_after_it_sees() {
    let app = TestApp::start();
    app.run(on_both(&app, "todo_fresh", async |todos| {
        let id = todos.create(json!({"title": "0"})).await["id"].clone();
        let is_done = std::sync::atomic::AtomicBool::new(false);
        let order = std::sync::atomic::Ordering::SeqCst;
        let readers = (0..8).map(async |_| {
            while !is_done.load(order) {
                todos.get(&id).await;
                todos.list().await;
            }
        });
        let writer = async {
            for n in 1..=50 {
                let title = json!(n.to_string());
                todos.put(&id, json!({"title": title})).await;
                let (one, list) = tokio::join!(todos.get(&id), todos.list());
                assert_eq!(one.json::<Value>().await.unwrap()["title"], title);
                assert_eq!(list[0]["title"], title);
            }
            is_done.store(true, order);
        };
        tokio::join!(writer, futures_util::future::join_all(readers));
    }));
}
