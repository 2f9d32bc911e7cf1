//! Loads log ingest as many devices at once would, and looks afterwards whether every line that was
//! acknowledged is there.

use std::time::Duration;

use reqwest::{Client, Url, redirect::Policy, retry};

/// What was acknowledged, in memory and in a file.
mod ledger;
/// Sends the lines.
mod load;
/// Reads them back.
mod query_back;
/// What was measured, and whether it meets the goals.
mod report;
/// Counts answers and times them.
mod tally;
/// The traces that some requests begin, and the names of those that others belong to.
mod traces;

pub use ledger::Ledger;
pub use load::{Plan, run};
pub use query_back::{QueryBack, query_back};
pub use report::{Goals, Report};
pub use tally::{Outcome, Tally};
pub use traces::{Named, Traces};

/// A single line that is not acknowledged by then has failed.
const SINGLE_WITHIN: Duration = Duration::from_secs(10);

/// The same for a batch.
const BATCH_WITHIN: Duration = Duration::from_secs(30);

/// What is not sent by then is not sent at all.
const ALL_WITHIN: Duration = Duration::from_secs(300);

/// What the first request may take, which only tells whether there is a server.
const HELLO_WITHIN: Duration = Duration::from_secs(5);

/// Load on a machine that somebody else uses is an attack, so another host needs a flag.
pub fn target(url: &str, allow_remote: bool) -> Result<Url, String> {
    let parsed: Url = url.parse().map_err(|_| format!("--url: {url:?} is not a URL"))?;
    let host = parsed.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    if parsed.scheme() != "http" || host.is_empty() {
        return Err(format!("--url: {url:?} is not like http://127.0.0.1:8000"));
    }
    let is_loopback = host == "localhost"
        || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback());
    if !is_loopback && !allow_remote {
        return Err(format!(
            "--url: {host} is not this machine; load it only if it is yours, with --allow-remote"
        ));
    }
    Ok(parsed)
}

/// Keeps as many connections open as there are requests in flight.
pub fn client(in_flight: usize, single: bool) -> Result<Client, String> {
    Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        // Or each request is copied, in case it is sent again.
        .retry(retry::never().max_retries_per_request(0))
        .pool_max_idle_per_host(in_flight)
        .timeout(if single { SINGLE_WITHIN } else { BATCH_WITHIN })
        .build()
        .map_err(|e| e.to_string())
}

/// Whether a server with log ingest answers there.
pub async fn hello(client: &Client, url: &Url) -> Result<(), String> {
    let stats = join(url, "/api/stats");
    let answer = client.get(stats.clone()).timeout(HELLO_WITHIN).send().await;
    match answer {
        Ok(answer) if answer.status().is_success() => Ok(()),
        Ok(answer) => Err(format!("{stats} answers {}", answer.status())),
        Err(error) => Err(format!("{stats}: {}", tally::kind(&error))),
    }
}

fn join(url: &Url, path: &str) -> Url {
    let mut url = url.clone();
    url.set_query(None);
    url.set_path(&format!("{}{path}", url.path().trim_end_matches('/')));
    url
}
