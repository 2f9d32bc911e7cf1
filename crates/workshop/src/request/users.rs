//! Accounts of virtual users: each signs up or logs in once, before any load.

use futures_util::{StreamExt, TryStreamExt, stream};
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use serde_json::json;

/// Users who sign up at the same time. Each of them is a password hash for a core.
const AT_ONCE: usize = 4;

/// Password of every virtual user. k6/lib/users.js has the same, for a user that is here already.
const PASSWORD: &str = "correct horse battery staple";

#[derive(Deserialize)]
struct Session {
    access_token: String,
}

/// Access tokens of the users 1 to `count`, in this order.
pub async fn tokens(http: &Client, base: &str, count: u32) -> Result<Vec<String>, String> {
    let users = stream::iter(1..=count).map(|user| token(http, base, user));
    users.buffered(AT_ONCE).try_collect().await
}

async fn token(http: &Client, base: &str, user: u32) -> Result<String, String> {
    let name = format!("virtual_user_{user}");
    let email = format!("{name}@example.com");
    let account = json!({ "username": name, "email": email, "password": PASSWORD });
    let url = format!("{base}/api/v2/auth/register");
    let failed = |e: reqwest::Error| format!("{url}: {e}");
    let answer = http.post(&url).json(&account).send().await.map_err(failed)?;
    match answer.status() {
        StatusCode::CREATED => session(answer).await,
        // An earlier load has signed it up.
        StatusCode::CONFLICT => {
            let url = format!("{base}/api/v2/auth/login");
            let known = json!({ "email": email, "password": PASSWORD });
            let answer = http.post(&url).json(&known).send().await;
            let answer = answer.map_err(|e| format!("{url}: {e}"))?;
            match answer.status() {
                StatusCode::OK => session(answer).await,
                _ => Err(refused(&name, answer).await),
            }
        }
        _ => Err(refused(&name, answer).await),
    }
}

async fn session(answer: reqwest::Response) -> Result<String, String> {
    let session: Session = answer.json().await.map_err(|e| format!("no session: {e}"))?;
    Ok(session.access_token)
}

async fn refused(name: &str, answer: reqwest::Response) -> String {
    let (url, status) = (answer.url().clone(), answer.status());
    let help = match status {
        StatusCode::TOO_MANY_REQUESTS => {
            "; set RATE_LIMIT_REGISTER, RATE_LIMIT_LOGIN and RATE_LIMIT_LOGIN_ADDRESS to off"
        }
        _ => "",
    };
    let body = answer.text().await.unwrap_or_default();
    format!("{name} can't log in: {url} answered with status {status}{help}: {body}")
}
