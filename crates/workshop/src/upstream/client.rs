//! HTTP client of a lab: asks the upstream, passes the trace on, and counts each call and each new
//! connection on the request that makes it.

use std::sync::{Arc, OnceLock};

use axum::{
    body::Bytes,
    http::{HeaderValue, StatusCode, Uri},
};
use reqwest::{Client, RequestBuilder};
use serde::de::DeserializeOwned;
use serde_json::json;
use tower::util::MapResponseLayer;

use super::{
    caller::{Caller, Counts},
    faults::Faults,
};
use observe::upstream::{self, ClientSpan};
use product::error::Error;

/// The upstream as one variant of a lab sees it. Cheap to clone; all clones share one client, and
/// with it its connections.
#[derive(Clone)]
pub struct Upstream(Arc<State>);

struct State {
    caller: Arc<Caller>,
    base: String,
    /// Made by the first call: most variants call nobody.
    http: OnceLock<Client>,
}

/// Answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub body: Bytes,
}

impl Upstream {
    pub(super) fn new(caller: Arc<Caller>, base: String) -> Self {
        Self(Arc::new(State { caller, base, http: OnceLock::new() }))
    }

    /// The same caller with connections of its own, for another runtime: a connection works only as
    /// long as the runtime that opened it.
    pub fn with_own_connections(&self) -> Self {
        let State { caller, base, .. } = &*self.0;
        Self::new(caller.clone(), base.clone())
    }

    /// URL of a path, for clients of another kind.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.0.base)
    }

    /// The shared client. It has no timeout; a request may have one.
    pub fn http(&self) -> &Client {
        self.0.http.get_or_init(counting_client)
    }

    /// Sends a request of any client, as one call. An answer with an error status is an answer.
    ///
    /// # Errors
    /// 503 if there is no answer.
    pub async fn send(&self, request: RequestBuilder) -> Result<Answer, Error> {
        upstream::call(sent(request)).await
    }

    /// Tags of a todo, in alphabetical order.
    ///
    /// # Errors
    /// 503 if there is no answer, or one with an error status.
    pub async fn tags_of(&self, todo_id: i64) -> Result<Vec<String>, Error> {
        let url = self.url(&format!("/tags?todo={todo_id}"));
        self.send(self.http().get(url)).await?.json()
    }

    /// Asks for the check that says yes.
    ///
    /// # Errors
    /// 503 if there is no answer, or one with an error status.
    pub async fn check(&self) -> Result<(), Error> {
        self.send(self.http().get(self.url("/check"))).await?.succeeded().map(drop)
    }

    /// Sends a mail.
    ///
    /// # Errors
    /// 503 if there is no answer, or one with an error status.
    pub async fn mail(&self, to: &str) -> Result<(), Error> {
        let request = self.http().post(self.url("/mail")).json(&json!({ "to": to }));
        self.send(request).await?.succeeded().map(drop)
    }

    /// Begins a run with these faults: what the service counts begins at 0, and so do the numbers by
    /// which the seed and the phases decide a request's fate.
    pub fn begin(&self, faults: Faults) {
        self.0.caller.begin(faults);
    }

    /// Counts of the service for this caller since the run began.
    pub fn counts(&self) -> Counts {
        self.0.caller.counts()
    }
}

/// Client that counts the connections it opens on the request that needs them. A lab that is about
/// clients makes its own with this; all others take the shared one.
#[expect(clippy::expect_used, reason = "without TLS and proxies there is nothing that can fail")]
pub fn counting_client() -> Client {
    Client::builder()
        .no_proxy()
        .connector_layer(MapResponseLayer::new(counted))
        .build()
        .expect("a plain HTTP client")
}

/// Counts a connection that was just opened, and passes it on.
fn counted<C>(connection: C) -> C {
    upstream::connected();
    connection
}

async fn sent(request: RequestBuilder) -> Result<Answer, Error> {
    let (client, request) = request.build_split();
    let mut request = request.map_err(Error::internal)?;
    let url: Uri = request.url().as_str().parse().map_err(Error::internal)?;
    let span = ClientSpan::open(request.method(), &url);
    span.propagate(request.headers_mut());
    request.headers_mut().insert(upstream::COUNTED, HeaderValue::from_static("1"));
    match answered(&client, request).await {
        Ok(answer) => {
            span.answered(answer.status.as_u16());
            Ok(answer)
        }
        Err(error) => {
            span.failed(kind(&error));
            Err(unavailable(cause(&error)))
        }
    }
}

/// The answer with its body, which is part of the call.
async fn answered(client: &Client, request: reqwest::Request) -> reqwest::Result<Answer> {
    let answer = client.execute(request).await?;
    Ok(Answer { status: answer.status(), body: answer.bytes().await? })
}

/// Kind of a failure, a closed set as `error.type` demands.
fn kind(error: &reqwest::Error) -> &'static str {
    match error {
        error if error.is_timeout() => "timeout",
        error if error.is_connect() => "connect",
        _ => "broken_off",
    }
}

/// Error with its causes: the outermost names only the URL.
fn cause(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

fn unavailable(cause: String) -> Error {
    Error::Unavailable { part: "upstream", cause }
}

impl Answer {
    /// The answer, if it has no error status.
    ///
    /// # Errors
    /// 503 with the status as its cause.
    pub fn succeeded(self) -> Result<Self, Error> {
        match self.status.is_success() {
            true => Ok(self),
            false => Err(unavailable(format!("it answered {}", self.status))),
        }
    }

    /// Body of an answer without an error status.
    ///
    /// # Errors
    /// 503 if the status is an error, or the body is not what was expected.
    pub fn json<T: DeserializeOwned>(self) -> Result<T, Error> {
        let answer = self.succeeded()?;
        serde_json::from_slice(&answer.body).map_err(|error| unavailable(error.to_string()))
    }
}
