//! Client that writes, and remembers what was acknowledged, to check that it is stored. For full
//! stores.

use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};

/// Check of what was acknowledged.
mod missing;

const PASSWORD: &str = "correct horse";

#[derive(serde::Deserialize)]
struct Session {
    access_token: String,
    refresh_token: String,
    email: String,
}

/// Writes that the server acknowledged.
#[derive(Default)]
struct Acknowledged {
    lines: Vec<String>,
    todos: Vec<i64>,
    posts: Vec<i64>,
    comments: Vec<i64>,
    accounts: Vec<String>,
    refreshed: Vec<Session>,
    logged_out: Vec<Session>,
}

/// Number of answers of each kind.
#[derive(Clone, Copy, Debug, Default)]
pub struct Answers {
    pub stored: usize,
    pub unavailable: usize,
}

/// A client that writes everything it can, and remembers what was acknowledged.
pub struct Writer {
    http: Client,
    server: String,
    name: String,
    owner: Session,
    post: i64,
    rounds: usize,
    /// Sessions to refresh or to log out, newest last.
    sessions: Vec<Session>,
    acknowledged: Acknowledged,
    answers: Answers,
    /// Answers of neither kind.
    unexpected: Vec<String>,
}

impl Writer {
    /// Registers a client. `name` must be unused in this database.
    pub async fn new(server: &str, name: &str) -> Self {
        let http = Client::builder().no_proxy().build().unwrap();
        let account = account(name);
        let answer = http.post(format!("{server}/api/v2/auth/register")).json(&account).send();
        let owner = answer.await.unwrap().json().await.unwrap();
        let mut writer = Self {
            http,
            server: server.to_owned(),
            name: name.to_owned(),
            owner,
            post: 0,
            rounds: 0,
            sessions: Vec::new(),
            acknowledged: Acknowledged::default(),
            answers: Answers::default(),
            unexpected: Vec::new(),
        };
        let post = json!({ "title": format!("of {name}"), "body": "with comments" });
        writer.post = id(&writer.post("/api/posts", &post).await.unwrap());
        writer
    }

    /// Changes the server, because the same database may now be served at another address.
    pub fn is_served_by(&mut self, server: String) {
        self.server = server;
    }

    /// Sends one request of each kind.
    pub async fn round(&mut self) -> Answers {
        let before = self.answers;
        let name = format!("{}_{}", self.name, self.rounds);
        self.rounds += 1;

        let message = |n| format!("{name}.{n}");
        let line = |n| json!({"device_id": self.name, "log_level": "INFO", "message": message(n)});
        let (single, batch) = (line(0), json!({"logs": [line(1), line(2), line(3)]}));
        let (single_message, messages) = (message(0), [1, 2, 3].map(message));
        if self.post("/api/log", &single).await.is_some() {
            self.acknowledged.lines.push(single_message);
        }
        if self.post("/api/logs/batch", &batch).await.is_some() {
            self.acknowledged.lines.extend(messages);
        }
        if let Some(todo) = self.post("/api/v2/todos", &json!({ "title": name })).await {
            self.acknowledged.todos.push(id(&todo));
        }
        if let Some(post) = self.post("/api/posts", &json!({"title": name, "body": name})).await {
            self.acknowledged.posts.push(id(&post));
        }
        let comments = format!("/api/posts/{}/comments", self.post);
        if let Some(comment) = self.post(&comments, &json!({ "body": name })).await {
            self.acknowledged.comments.push(id(&comment));
        }
        if let Some(session) = self.post("/api/v2/auth/register", &account(&name)).await {
            self.acknowledged.accounts.push(name);
            self.sessions.push(serde_json::from_value(session).unwrap());
        }
        self.end_or_renew_a_session().await;
        Answers {
            stored: self.answers.stored - before.stored,
            unavailable: self.answers.unavailable - before.unavailable,
        }
    }

    /// Refreshes or logs out a session. After a failed request it is in doubt: not used again.
    async fn end_or_renew_a_session(&mut self) {
        let Some(session) = self.sessions.pop() else { return };
        if self.rounds.is_multiple_of(2) {
            let token = json!({ "refresh_token": session.refresh_token });
            if let Some(next) = self.post("/api/v2/auth/refresh", &token).await {
                self.acknowledged.refreshed.push(serde_json::from_value(next).unwrap());
            }
        } else {
            let path = format!("{}/api/v2/auth/logout", self.server);
            let answer =
                self.http.post(path).bearer_auth(&session.access_token).send().await.unwrap();
            if self.is_stored(&answer) {
                self.acknowledged.logged_out.push(session);
            }
        }
    }

    async fn post(&mut self, path: &str, body: &Value) -> Option<Value> {
        let request = self.http.post(format!("{}{path}", self.server)).json(body);
        let answer = request.bearer_auth(&self.owner.access_token).send().await.unwrap();
        if self.is_stored(&answer) { Some(answer.json().await.unwrap()) } else { None }
    }

    fn is_stored(&mut self, answer: &Response) -> bool {
        let is_stored = answer.status().is_success();
        match answer.status() {
            _ if is_stored => self.answers.stored += 1,
            StatusCode::SERVICE_UNAVAILABLE => self.answers.unavailable += 1,
            status => self.unexpected.push(format!("{}: {status}", answer.url().path())),
        }
        is_stored
    }

    /// Number of acknowledged writes.
    pub fn count(&self) -> usize {
        let a = &self.acknowledged;
        let rows = a.todos.len() + a.posts.len() + a.comments.len();
        a.lines.len() + rows + a.accounts.len() + a.refreshed.len() + a.logged_out.len()
    }

    /// Answers that were neither success nor 503.
    pub fn unexpected(&self) -> &[String] {
        &self.unexpected
    }

    /// Statuses of reads that need the database, not a cache.
    pub async fn reads(&self) -> Vec<u16> {
        let device = format!("/api/logs/{}", self.name);
        let mut statuses = Vec::new();
        for path in [&device, "/api/posts", "/api/posts/v2/fast", "/api/stats"] {
            statuses.push(self.get(path, &self.owner.access_token).await.status().as_u16());
        }
        statuses
    }

    pub async fn status(&self, path: &str) -> u16 {
        self.http.get(format!("{}{path}", self.server)).send().await.unwrap().status().as_u16()
    }

    async fn get(&self, path: &str, token: &str) -> Response {
        let request = self.http.request(Method::GET, format!("{}{path}", self.server));
        request.bearer_auth(token).send().await.unwrap()
    }
}

fn account(name: &str) -> Value {
    json!({ "username": name, "email": format!("{name}@example.com"), "password": PASSWORD })
}

fn id(row: &Value) -> i64 {
    row["id"].as_i64().unwrap()
}
