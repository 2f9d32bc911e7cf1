//! Acknowledged writes that are not stored: every one is read back, or used.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::{Session, Writer, account, id};

impl Writer {
    /// Acknowledged writes that are not stored. Uses up the sessions.
    pub async fn missing(&self) -> Vec<String> {
        let mut missing = Vec::new();
        let a = &self.acknowledged;
        let there = self.lines().await;
        missing.extend(a.lines.iter().filter(|line| !there.contains(*line)).cloned());
        let there = self.comments().await;
        let comments = a.comments.iter().filter(|id| !there.contains(id));
        missing.extend(comments.map(|id| format!("comment {id}")));
        let todos = a.todos.iter().map(|id| format!("/api/v2/todos/{id}"));
        for path in todos.chain(a.posts.iter().map(|id| format!("/api/posts/{id}"))) {
            if self.get(&path, &self.owner.access_token).await.status() != 200 {
                missing.push(path);
            }
        }
        for name in &a.accounts {
            if self.send("/api/v2/auth/login", &account(name)).await != 200 {
                missing.push(format!("account {name}"));
            }
        }
        for Session { email, refresh_token, .. } in &a.refreshed {
            if self.send("/api/v2/auth/refresh", &json!({"refresh_token": refresh_token})).await
                != 200
            {
                missing.push(format!("refreshed session of {email}"));
            }
        }
        for Session { email, access_token: token, .. } in &a.logged_out {
            if self.get("/api/v2/todos", token).await.status() != 401 {
                missing.push(format!("logout of {email}"));
            }
        }
        missing
    }

    async fn lines(&self) -> HashSet<String> {
        let mut lines = HashSet::new();
        let mut before = String::new();
        loop {
            let page = self.page(&format!("/api/logs/{}?limit=1000{before}", self.name)).await;
            let logs = page["logs"].as_array().unwrap();
            lines.extend(logs.iter().map(|line| line["message"].as_str().unwrap().to_owned()));
            match &page["next_before"] {
                Value::Null => return lines,
                next => before = format!("&before={next}"),
            }
        }
    }

    async fn comments(&self) -> HashSet<i64> {
        let mut comments = HashSet::new();
        let mut cursor = String::new();
        loop {
            let path = format!("/api/posts/{}/comments?limit=100{cursor}", self.post);
            let page = self.page(&path).await;
            comments.extend(page["items"].as_array().unwrap().iter().map(id));
            match &page["next_cursor"] {
                Value::String(next) => cursor = format!("&cursor={next}"),
                _ => return comments,
            }
        }
    }

    async fn page(&self, path: &str) -> Value {
        let answer = self.get(path, &self.owner.access_token).await;
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    }

    async fn send(&self, path: &str, body: &Value) -> u16 {
        let request = self.http.post(format!("{}{path}", self.server)).json(body);
        request.send().await.unwrap().status().as_u16()
    }
}
