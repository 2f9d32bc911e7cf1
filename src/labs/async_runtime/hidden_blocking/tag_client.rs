//! The client library of the tag service, as its team ships it: one agent, kept connections, a
//! timeout, and a function for each question.

use std::{sync::LazyLock, time::Duration};

use product::error::Error;
use ureq::Agent;
use workshop::upstream::Upstream;

/// Longest wait for each step of a call. With one timeout for the whole of it, ureq would resolve
/// the name on a new thread each time.
const TIMEOUT: Option<Duration> = Some(Duration::from_secs(1));

static AGENT: LazyLock<Agent> = LazyLock::new(|| {
    let config = Agent::config_builder()
        .timeout_connect(TIMEOUT)
        .timeout_recv_response(TIMEOUT)
        .timeout_recv_body(TIMEOUT)
        .proxy(None);
    config.build().into()
});

/// Client of the tag service. All of them share their connections.
pub struct TagClient {
    tags_url: String,
}

impl TagClient {
    pub fn of(upstream: &Upstream) -> Self {
        Self { tags_url: upstream.url("/tags") }
    }

    /// Tags of a todo, in alphabetical order.
    pub fn tags_of(&self, todo_id: i64) -> Result<Vec<String>, Error> {
        let url = format!("{}?todo={todo_id}", self.tags_url);
        get(&url).map_err(|e| Error::Unavailable { part: "tag service", cause: e.to_string() })
    }
}

fn get(url: &str) -> Result<Vec<String>, ureq::Error> {
    AGENT.get(url).call()?.into_body().read_json()
}
