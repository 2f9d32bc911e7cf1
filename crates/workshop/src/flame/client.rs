//! Takes profiles of the server, and downloads their flame graphs.

use std::time::Duration;

use axum::body::Bytes;

use crate::{lab::LoadedLab, prove::ServerProcess};
use observe::profiles::{FrameReader, Mode};

/// Longer than the longest profile and its symbolising.
const TIMEOUT: Duration = Duration::from_secs(240);

pub struct Client<'a> {
    http: reqwest::Client,
    server: &'a ServerProcess,
    lab: &'a str,
}

pub struct Taken {
    pub id: u64,
    pub total: u64,
    pub packed: Bytes,
}

impl<'a> Client<'a> {
    pub fn new(server: &'a ServerProcess, loaded: &'a LoadedLab) -> Result<Self, String> {
        let http = reqwest::Client::builder().timeout(TIMEOUT).no_proxy().build();
        Ok(Self { http: http.map_err(|e| e.to_string())?, server, lab: loaded.lab.id })
    }

    pub async fn take(&self, mode: Mode, variant: &str, seconds: u32) -> Result<Taken, String> {
        let (lab, mode) = (self.lab, mode.name());
        let answer = self
            .send(&format!("profile?mode={mode}&seconds={seconds}&lab={lab}&variant={variant}"))
            .await?;
        let id = answer.headers().get("x-capture-id").and_then(|id| id.to_str().ok()?.parse().ok());
        let id = id.ok_or("the server does not say which capture this is")?;
        let packed = answer.bytes().await.map_err(|e| e.to_string())?;
        let total = FrameReader::new(&packed)?.total();
        Ok(Taken { id, total, packed })
    }

    /// Gets a path below /debug/pprof.
    pub async fn get(&self, path: &str) -> Result<Bytes, String> {
        self.send(path).await?.bytes().await.map_err(|e| e.to_string())
    }

    async fn send(&self, path: &str) -> Result<reqwest::Response, String> {
        let url = format!("http://{}/debug/pprof/{path}", self.server.ops);
        let answer = self.http.get(&url).send().await.map_err(|e| format!("{url}: {e}"))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let body = answer.text().await.unwrap_or_default();
        Err(format!("{url}: {status}: {body}"))
    }
}
