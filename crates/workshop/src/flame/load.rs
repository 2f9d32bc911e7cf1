//! A bounded load: a fixed number of requests in flight, each followed by the next, until `stop`.
//! It waits for the requests in flight then, so nothing is cut off.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use reqwest::{Client, Method};
use tokio::task::JoinSet;

use crate::{lab::LoadedLab, prove::ServerProcess};

/// A request that takes longer than this is stuck: slow takes seconds under load.
const TIMEOUT: Duration = Duration::from_secs(60);

pub struct Load {
    is_stopped: Arc<AtomicBool>,
    senders: JoinSet<Result<u64, String>>,
}

impl Load {
    pub fn start(
        server: &ServerProcess,
        loaded: &LoadedLab,
        variant: &str,
        in_flight: usize,
    ) -> Result<Self, String> {
        let request = &loaded.evidence.request;
        let method: Method = request.method.parse().map_err(|_| "no method".to_owned())?;
        let url = format!("http://{}{}", server.app, loaded.evidence.route(variant));
        let client = Client::builder().timeout(TIMEOUT).no_proxy().build();
        let client = client.map_err(|e| e.to_string())?;
        let is_stopped = Arc::new(AtomicBool::new(false));
        let mut senders = JoinSet::new();
        for _ in 0..in_flight {
            let (client, method, url) = (client.clone(), method.clone(), url.clone());
            let (is_stopped, expected) = (is_stopped.clone(), request.status);
            senders.spawn(async move {
                let mut answered = 0;
                while !is_stopped.load(Ordering::Relaxed) {
                    let answer = client.request(method.clone(), &url).send().await;
                    let answer = answer.map_err(|e| format!("{url}: {e}"))?;
                    let status = answer.status().as_u16();
                    answer.bytes().await.map_err(|e| format!("{url}: {e}"))?;
                    if status != expected {
                        return Err(format!("{url}: status {status} instead of {expected}"));
                    }
                    answered += 1;
                }
                Ok(answered)
            });
        }
        Ok(Self { is_stopped, senders })
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
