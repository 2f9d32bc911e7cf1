//! Fifty users write at once: no refusal, and no lost update.

use futures_util::future::{join, join_all};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Session, TestApp};

const USERS: usize = 50;

struct Writer<'a> {
    app: &'a TestApp,
    session: Session,
    todos: String,
}

impl Writer<'_> {
    async fn send(&self, method: Method, path: &str, body: Value, expected: u16) -> Value {
        let path = format!("{}{path}", self.todos);
        let request = self.app.as_user(&self.session, method.clone(), &path).json(&body);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), expected, "{method} {path}");
        answer.json().await.unwrap_or_default()
    }

    /// Creates two todos, changes both halves of one at once, and deletes the other.
    async fn write(&self) {
        let kept = self.send(Method::POST, "", json!({ "title": "first" }), 201).await;
        let gone = self.send(Method::POST, "", json!({ "title": "second" }), 201).await;
        let path = format!("/{}", kept["id"]);
        let title = self.send(Method::PUT, &path, json!({ "title": "changed" }), 200);
        let completed = self.send(Method::PUT, &path, json!({ "completed": true }), 200);
        join(title, completed).await;
        self.send(Method::DELETE, &format!("/{}", gone["id"]), Value::Null, 204).await;
        let list = self.send(Method::GET, "", Value::Null, 200).await;
        let seen: Vec<_> = list.as_array().unwrap().iter().map(|todo| &todo["id"]).collect();
        assert_eq!(seen, [&kept["id"]]);
        assert_eq!(list[0]["title"], "changed");
        assert_eq!(list[0]["completed"], true);
    }
}

#[test]
fn fifty_users_write_at_once_and_no_change_is_lost() {
    let app = TestApp::start();
    app.run(async {
        join_all((0..USERS).map(async |n| {
            let session = app.sign_up(&format!("writer_{n}")).await;
            let todos = format!("/api/v{}/todos", 1 + n % 2);
            Writer { app: &app, session, todos }.write().await;
        }))
        .await;
    });
}
