//! Requests to both ports of the server that is proven.

use std::time::{Duration, Instant, SystemTime};

use axum::http::HeaderMap;
use opentelemetry::trace::TraceId;
use reqwest::RequestBuilder;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::OnceCell;

use super::ServerProcess;
use crate::{
    evidence::ProfileMode,
    judge::{self, Totals, answers, growth::Samples, spans::Spans},
    lab::LoadedLab,
    request::Caller,
};
use observe::{measurements::Summary, profiles::FrameReader, traces::propagation};

/// Long enough for slow under load, and for a profile with the symbolising after it.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Interval of the looks for the end of work.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Limit of the wait for work that goes on after the last answer, in tasks that nobody waits for.
const AT_REST_WITHIN: Duration = Duration::from_secs(3);

/// Most traces that the server lists.
const TRACES: usize = 1_000;
/// Limit of the wait for the trace of a request, which ends a moment after its answer.
const TRACED_WITHIN: Duration = Duration::from_secs(1);

/// The list of recent traces.
#[derive(Deserialize)]
struct Traces {
    requests: Vec<Traced>,
}

#[derive(Deserialize)]
struct Traced {
    spans: u64,
    /// Spans that were too many.
    dropped_spans: u64,
}

pub struct Client<'a> {
    http: reqwest::Client,
    server: &'a ServerProcess,
    loaded: &'a LoadedLab,
    /// Number of virtual users.
    users: u32,
    /// They are logged in before the first request.
    caller: OnceCell<Caller>,
}

/// Answer of a variant to one request.
pub struct Answer {
    pub status: u16,
    /// JSON without the values that may differ between variants; null if there is no body.
    pub body: Value,
    /// Trace id, by which the server's log has the request.
    pub trace: TraceId,
}

impl<'a> Client<'a> {
    /// A client with as many virtual users as the load of a proof has.
    pub fn new(server: &'a ServerProcess, loaded: &'a LoadedLab) -> Result<Self, String> {
        Self::with_users(server, loaded, loaded.evidence.load.proof.most_at_once())
    }

    /// A client with this many virtual users, for requests without a load: to log all of them in may
    /// take longer than the requests.
    pub fn with_users(
        server: &'a ServerProcess,
        loaded: &'a LoadedLab,
        users: u32,
    ) -> Result<Self, String> {
        let http = reqwest::Client::builder().timeout(TIMEOUT).no_proxy().build();
        let caller = OnceCell::new();
        Ok(Self { http: http.map_err(|e| e.to_string())?, server, loaded, users, caller })
    }

    pub fn base_url(&self) -> String {
        format!("http://{}", self.server.app)
    }

    async fn get(&self, url: &str) -> Result<reqwest::Response, String> {
        self.http.get(url).send().await.map_err(|e| format!("{url}: {e}"))
    }

    async fn caller(&self) -> Result<&Caller, String> {
        let evidence = &self.loaded.evidence;
        let new = || Caller::new(self.http.clone(), self.base_url(), evidence, self.users);
        self.caller.get_or_try_init(new).await
    }

    /// Access tokens for k6, that of its first virtual user first; empty if the lab needs none.
    pub async fn tokens(&self) -> Result<&[String], String> {
        Ok(self.caller().await?.tokens())
    }

    /// Sends one request to a variant.
    pub async fn ask(&self, variant: &str) -> Result<Answer, String> {
        let request = self.caller().await?.request(variant, 1)?;
        self.answer(variant, request).await
    }

    /// Sends to each variant what it must refuse, and says what it did not.
    pub async fn not_refused(&self, variants: &[&str]) -> Result<Vec<judge::Failure>, String> {
        let mut failures = Vec::new();
        for refusal in &self.loaded.evidence.refusals {
            for variant in variants {
                let request = self.caller().await?.refused(variant, 1, refusal)?;
                let Answer { status, trace, .. } = self.answer(variant, request).await?;
                let failure = answers::refused(variant, refusal, status);
                failures.extend(failure.map(|failure| format!("{failure}, trace {trace}")));
            }
        }
        Ok(failures)
    }

    /// Answer to a request. It starts a trace: it needs an id even without an answer.
    async fn answer(&self, variant: &str, request: RequestBuilder) -> Result<Answer, String> {
        let sent = propagation::root();
        let trace = sent.trace_id();
        let mut headers = HeaderMap::new();
        propagation::inject(&sent, &mut headers);
        let failed = |e: reqwest::Error| format!("{variant}: {e}, trace {trace}");
        let response = request.headers(headers).send().await.map_err(failed)?;
        let status = response.status().as_u16();
        let body = response.bytes().await.map_err(failed)?;
        let body = match body.is_empty() {
            true => Value::Null,
            false => serde_json::from_slice(&body).map_err(|e| {
                format!("{variant}: status {status} without JSON: {e}, trace {trace}")
            })?,
        };
        Ok(Answer { status, body: self.loaded.evidence.answer.comparable(body), trace })
    }

    /// Puts the lab back to its start: its data, and the faults of its upstream.
    pub async fn reset(&self) -> Result<(), String> {
        let url = format!("http://{}/labs/{}/reset", self.server.ops, self.loaded.lab.id);
        let answer = self.http.post(&url).send().await.map_err(|e| format!("{url}: {e}"))?;
        match answer.status().is_success() {
            true => Ok(()),
            false => Err(format!("{url}: {}", answer.text().await.unwrap_or_default())),
        }
    }

    /// Exact figures of a variant since a time.
    pub async fn measured(&self, variant: &str, since: SystemTime) -> Result<Summary, String> {
        let url = format!(
            "http://{}/labs/{}/measurements?variant={variant}&since={}",
            self.server.ops,
            self.loaded.lab.id,
            humantime::format_rfc3339_nanos(since)
        );
        self.get(&url).await?.json().await.map_err(|e| format!("{url}: {e}"))
    }

    /// Spans of the traces of a variant that are kept since a time.
    pub async fn spans(&self, variant: &str, since: SystemTime) -> Result<Spans, String> {
        let url = format!(
            "http://{}/debug/traces?format=json&lab={}&variant={variant}&limit={TRACES}&since={}",
            self.server.ops,
            self.loaded.lab.id,
            humantime::format_rfc3339_nanos(since)
        );
        let answer = self.get(&url).await?;
        let Traces { requests } = answer.json().await.map_err(|e| format!("{url}: {e}"))?;
        let count = |traced: Traced| traced.spans + traced.dropped_spans;
        Ok(Spans::of(requests.into_iter().map(count).collect()))
    }

    /// Spans of the first trace of a variant, once it is kept.
    pub async fn first_spans(&self, variant: &str) -> Result<Spans, String> {
        let started = Instant::now();
        loop {
            let spans = self.spans(variant, SystemTime::UNIX_EPOCH).await?;
            if spans.traces > 0 || started.elapsed() > TRACED_WITHIN {
                return Ok(spans);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Every metric as it is now.
    pub async fn metrics(&self) -> Result<Samples, String> {
        let url = format!("http://{}/metrics", self.server.ops);
        let text = self.get(&url).await?.text().await.map_err(|e| format!("{url}: {e}"))?;
        Samples::parse(&text).map_err(|e| format!("{url}: {e}"))
    }

    /// Totals of the server's process so far.
    pub async fn totals(&self) -> Result<Totals, String> {
        let url = format!("http://{}/debug/totals", self.server.ops);
        self.get(&url).await?.json().await.map_err(|e| format!("{url}: {e}"))
    }

    /// Totals once no more work is done: a task that nobody waits for may go on after the answers.
    pub async fn totals_at_rest(&self) -> Result<Totals, String> {
        let started = Instant::now();
        let mut totals = self.totals().await?;
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let later = self.totals().await?;
            if judge::is_at_rest(&totals, &later) || started.elapsed() > AT_REST_WITHIN {
                return Ok(later);
            }
            totals = later;
        }
    }

    /// Takes a profile of all threads, including idle ones.
    pub async fn profile(&self, mode: ProfileMode, seconds: u32) -> Result<FrameReader, String> {
        let url = format!(
            "http://{}/debug/pprof/profile?mode={}&seconds={seconds}&idle=1",
            self.server.ops,
            mode.name()
        );
        let response = self.get(&url).await?.error_for_status();
        let packed = response.map_err(|e| e.to_string())?.bytes().await;
        FrameReader::new(&packed.map_err(|e| format!("{url}: {e}"))?)
    }
}
