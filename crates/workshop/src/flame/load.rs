//! A bounded load: a fixed number of requests in flight, each followed by the next, until `stop`.
//! It waits for the requests in flight then, so nothing is cut off.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use reqwest::Client;
use tokio::task::JoinSet;

use crate::{evidence::Answer, lab::LoadedLab, prove::ServerProcess, request::Caller};

/// A request that takes longer than this is stuck: slow takes seconds under load.
const TIMEOUT: Duration = Duration::from_secs(60);

pub struct Load {
    is_stopped: Arc<AtomicBool>,
    senders: JoinSet<Result<u64, String>>,
}

/// Sends the lab's request, each sender as a virtual user of its own.
pub async fn caller(
    server: &ServerProcess,
    loaded: &LoadedLab,
    senders: usize,
) -> Result<Caller, String> {
    let http = Client::builder().timeout(TIMEOUT).no_proxy().build();
    let http = http.map_err(|e| e.to_string())?;
    let base = format!("http://{}", server.app);
    Caller::new(http, base, &loaded.evidence, user(senders)).await
}

/// Number of a sender's virtual user.
fn user(sender: usize) -> u32 {
    u32::try_from(sender).unwrap_or(u32::MAX)
}

impl Load {
    pub fn start(caller: &Caller, answer: &Answer, variant: &str, in_flight: usize) -> Self {
        let is_stopped = Arc::new(AtomicBool::new(false));
        let mut senders = JoinSet::new();
        for sender in 1..=in_flight {
            let (caller, answer, variant) = (caller.clone(), answer.clone(), variant.to_owned());
            let is_stopped = is_stopped.clone();
            senders.spawn(async move {
                let failed = |e: reqwest::Error| format!("{variant}: {e}");
                let mut answered = 0;
                while !is_stopped.load(Ordering::Relaxed) {
                    let request = caller.request(&variant, user(sender))?;
                    let response = request.send().await.map_err(failed)?;
                    let status = response.status().as_u16();
                    response.bytes().await.map_err(failed)?;
                    if !answer.allows(status) {
                        let allowed = answer.allowed();
                        return Err(format!("{variant}: status {status} instead of {allowed}"));
                    }
                    answered += 1;
                }
                Ok(answered)
            });
        }
        Self { is_stopped, senders }
    }

    /// Stops the load and returns the number of answered requests.
    pub async fn stop(mut self) -> Result<u64, String> {
        self.is_stopped.store(true, Ordering::Relaxed);
        let mut answered = 0;
        while let Some(sender) = self.senders.join_next().await {
            answered += sender.map_err(|e| e.to_string())??;
        }
        Ok(answered)
    }
}
