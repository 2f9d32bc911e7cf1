//! The request of a lab, built from its lab.json: the one place in Rust for it. What it sends is
//! what k6/lib/request.js sends.

use std::{
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use reqwest::{Client, RequestBuilder, Url};
use serde_json::Value;

use crate::evidence::{
    Evidence, Refusal, Request, Session,
    template::{self, Values},
};

/// Accounts of virtual users.
mod users;

/// Sends a lab's request, as one of several virtual users.
#[derive(Clone)]
pub struct Caller {
    http: Client,
    base: String,
    request: Request,
    /// Access tokens, that of user 1 first. Empty if the lab needs none.
    tokens: Vec<String>,
}

impl Caller {
    /// Makes a caller with `users` virtual users, and logs them in if the lab needs it. `base` is
    /// the address of the app: `http://127.0.0.1:8000`.
    ///
    /// # Errors
    /// A user who can't log in, with the answer to the attempt.
    pub async fn new(
        http: Client,
        base: String,
        evidence: &Evidence,
        users: u32,
    ) -> Result<Self, String> {
        let request = evidence.request.clone();
        let users = if request.log_in { users } else { 0 };
        let tokens = users::tokens(&http, &base, users).await?;
        Ok(Self { http, base, request, tokens })
    }

    /// Makes a caller whose users are logged in already: `tokens` are theirs, that of user 1 first.
    pub fn with_tokens(
        http: Client,
        base: String,
        evidence: &Evidence,
        tokens: Vec<String>,
    ) -> Self {
        Self { http, base, request: evidence.request.clone(), tokens }
    }

    /// The access tokens, for another program that sends the same users' requests.
    pub fn tokens(&self) -> &[String] {
        &self.tokens
    }

    /// The user's next request to a variant. `user` is 1 or more.
    ///
    /// # Errors
    /// A user who was not logged in, and an address that is none.
    pub fn request(&self, variant: &str, user: u32) -> Result<RequestBuilder, String> {
        self.with(variant, user, Session::Valid, self.request.body.as_ref())
    }

    /// The user's next request to a variant, as one that must be refused.
    ///
    /// # Errors
    /// As `request`.
    pub fn refused(
        &self,
        variant: &str,
        user: u32,
        refusal: &Refusal,
    ) -> Result<RequestBuilder, String> {
        let body = refusal.body.as_ref().or(self.request.body.as_ref());
        self.with(variant, user, refusal.session, body)
    }

    fn with(
        &self,
        variant: &str,
        user: u32,
        session: Session,
        body: Option<&Value>,
    ) -> Result<RequestBuilder, String> {
        let Request { method, query, headers, log_in, .. } = &self.request;
        let values = Values { n: next_number(), user };
        let address = format!("{}{}", self.base, self.request.route(variant));
        let mut url = Url::parse(&address).map_err(|e| format!("{address}: {e}"))?;
        if !query.is_empty() {
            let query = query.iter().map(|(name, value)| (name, template::text(value, values)));
            url.query_pairs_mut().extend_pairs(query);
        }
        let method = reqwest::Method::from_bytes(method.name().as_bytes());
        let mut builder = self.http.request(method.map_err(|e| e.to_string())?, url);
        for (name, value) in headers {
            builder = builder.header(name, template::text(value, values));
        }
        if let Some(body) = body {
            builder = builder.json(&template::json(body, values));
        }
        if *log_in && session != Session::None {
            let token = usize::try_from(user).ok().and_then(|user| user.checked_sub(1));
            let token = token.and_then(|user| self.tokens.get(user));
            let token = token.ok_or_else(|| format!("virtual user {user} is not logged in"))?;
            builder = match session {
                Session::Forged => builder.bearer_auth(forged(token)),
                Session::Valid | Session::None => builder.bearer_auth(token),
            };
        }
        Ok(builder)
    }
}

/// The token with its signature turned around: its claims can be read, and nobody has signed them.
fn forged(token: &str) -> String {
    let (claims, signature) = token.rsplit_once('.').unwrap_or((token, ""));
    let signature: String = signature.chars().rev().collect();
    format!("{claims}.{signature}")
}

/// Number of the next request. It begins with the time in microseconds, so that loads of the same
/// server, one after the other, have no number in common; k6's begin with it too.
fn next_number() -> u64 {
    static NEXT: LazyLock<AtomicU64> = LazyLock::new(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        AtomicU64::new(u64::try_from(since.as_micros()).unwrap_or(0))
    });
    NEXT.fetch_add(1, Relaxed)
}

#[cfg(test)]
mod tests;
