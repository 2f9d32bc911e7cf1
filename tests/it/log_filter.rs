//! The log filter changes while the program runs, and changes back.

use reqwest::blocking::{Client, Response};
use serde_json::{Value, json};

use crate::program::Serving;

struct Ops {
    serving: Serving,
    client: Client,
}

impl Ops {
    fn start() -> Self {
        let client = Client::builder().no_proxy().build().unwrap();
        Self { serving: Serving::start(&[("RUST_LOG", "info,sqlx=warn")]), client }
    }

    fn url(&self) -> String {
        format!("http://{}/log-filter", self.serving.ops)
    }

    fn put(&self, body: &Value) -> Response {
        self.client.put(self.url()).json(body).send().unwrap()
    }

    fn state(&self) -> Value {
        self.client.get(self.url()).send().unwrap().json().unwrap()
    }

    /// Sends a request that queries the database.
    fn ask(&self, id: &str) {
        let request = self.client.get(self.serving.url("/api/posts/v2/fast"));
        assert_eq!(request.header("x-request-id", id).send().unwrap().status(), 200);
    }
}

#[test]
fn a_filter_is_in_place_for_its_time_and_no_longer() {
    let mut ops = Ops::start();
    let before = ops.state();
    assert_eq!((&before["filter"], &before["until"]), (&before["at_start"], &Value::Null));
    ops.ask("as-usual");

    let changed = ops.put(&json!({"filter": "debug,access=off", "seconds": 600}));
    assert_eq!(changed.status(), 200);
    let changed: Value = changed.json().unwrap();
    assert_eq!(changed, ops.state());
    assert_eq!(changed["at_start"], before["at_start"]);
    assert!(changed["filter"].as_str().unwrap().contains("access=off"), "{changed}");
    assert!(changed["until"].is_string(), "{changed}");
    ops.ask("debugged");

    // Replaces the first filter and its ten minutes. The end is logged even under `off`.
    assert_eq!(ops.put(&json!({"filter": "off", "seconds": 1})).status(), 200);
    let lines = ops.serving.wait_for_message("the log filter is restored");
    assert_eq!(ops.state(), before);
    ops.ask("as-before");
    let lines = lines + &ops.serving.wait_for_message("as-before");

    let count = |what: &str| lines.lines().filter(|line| line.contains(what)).count();
    assert_eq!(count("the log filter is changed"), 2, "{lines}");
    assert_eq!((count("as-usual"), count("as-before")), (1, 1), "{lines}");
    let statement = |line: &&str| line.contains("\"level\":\"DEBUG\"") && line.contains("SELECT");
    let of_request = |line: &&str| line.contains("\"request_id\":\"debugged\"");
    // fast has one query.
    assert_eq!(lines.lines().filter(statement).filter(of_request).count(), 1, "{lines}");
    let of_access =
        |line: &&str| line.contains("\"target\":\"access\"") && line.contains("debugged");
    assert_eq!(lines.lines().filter(of_access).count(), 0, "{lines}");
}

#[test]
fn a_filter_that_cannot_be_is_refused_by_name() {
    let ops = Ops::start();
    let before = ops.state();
    for (body, fields) in [
        (json!({}), vec!["filter"]),
        (json!({"filter": ""}), vec!["filter"]),
        (json!({"filter": 5}), vec!["filter"]),
        (json!({"filter": "debgu"}), vec!["filter"]),
        (json!({"filter": "sqlx"}), vec!["filter"]),
        (json!({"filter": "sqlx=loud"}), vec!["filter"]),
        (json!({"filter": "=debug"}), vec!["filter"]),
        (json!({"filter": "info,[request]=debug"}), vec!["filter"]),
        (json!({"filter": format!("{}=info", "x".repeat(1_000))}), vec!["filter"]),
        (json!({"filter": "info", "seconds": 0}), vec!["seconds"]),
        (json!({"filter": "info", "seconds": 3_601}), vec!["seconds"]),
        (json!({"filter": "info", "seconds": 1.5}), vec!["seconds"]),
        (json!({"filter": "info", "seconds": "60"}), vec!["seconds"]),
        (json!({"filter": "debgu", "seconds": -1}), vec!["filter", "seconds"]),
    ] {
        let answer = ops.put(&body);
        assert_eq!(answer.status(), 422, "{body}");
        let problem: Value = answer.json().unwrap();
        let named = problem["errors"].as_array().unwrap().iter().map(|e| e["field"].as_str());
        assert_eq!(named.map(Option::unwrap).collect::<Vec<_>>(), fields, "{body}");
    }
    for (body, status) in [("[]", 422), ("{", 400)] {
        let request = ops.client.put(ops.url()).header("content-type", "application/json");
        assert_eq!(request.body(body).send().unwrap().status(), status, "{body}");
    }
    assert_eq!(ops.state(), before);
}
