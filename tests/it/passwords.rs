//! Cost of a password: each log-in costs one hash, even for an unknown account.

use serde_json::{Value, json};

use crate::{program::Serving, support::PASSWORD};

#[test]
fn whoever_cannot_log_in_gets_one_answer_at_the_price_of_a_hash() {
    // Counters belong to a process, so this test needs its own.
    let serving = Serving::start(&[("BCRYPT_COST", "4"), ("INSECURE", "true")]);
    let client = reqwest::blocking::Client::builder().no_proxy().build().unwrap();
    let hashes = || {
        let metrics = client.get(format!("http://{}/metrics", serving.ops)).send().unwrap();
        let text = metrics.text().unwrap();
        let lines =
            text.lines().filter(|line| line.starts_with("chokepoint_password_hashes_total"));
        lines.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum::<u64>()
    };
    let post = |path: &str, body: Value| {
        let answer = client.post(format!("http://{}{path}", serving.app)).json(&body).send();
        let answer = answer.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().unwrap())
    };
    let account = json!({ "username": "ada", "email": "ada@example.com", "password": PASSWORD });
    assert_eq!(post("/api/v2/auth/register", account).0, 201);
    let mut details = Vec::new();
    for version in ["v1", "v2"] {
        for email in ["ada@example.com", "demo-ada@example.com", "nobody@example.com"] {
            let before = hashes();
            let path = format!("/api/{version}/auth/login");
            let (status, problem) = post(&path, json!({ "email": email, "password": "not this" }));
            assert_eq!(status, 401, "{email}");
            assert_eq!(hashes() - before, 1, "{email} under {version}");
            details.push(problem["detail"].clone());
        }
    }
    assert!(details.windows(2).all(|pair| pair[0] == pair[1]), "{details:?}");
}
