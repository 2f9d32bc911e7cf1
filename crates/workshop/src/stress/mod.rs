//! Loads log ingest with many devices at once, and checks afterwards that every acknowledged line
//! is stored.

use std::time::Duration;

use reqwest::{Client, Url, redirect::Policy, retry};

/// Acknowledged lines, in memory and in a file.
mod ledger;
/// Sends the lines.
mod load;
/// Reads the lines back.
mod query_back;
/// The measurements, and which goals they meet.
mod report;
/// Counts and times answers.
mod tally;
/// Sampling of traces, and the requests that the report names.
mod traces;

pub use ledger::Ledger;
pub use load::{Plan, run};
pub use query_back::{QueryBack, query_back};
pub use report::{Goals, Report};
pub use tally::{Outcome, Tally};
pub use traces::{Named, Traces};

/// Time limit of a request with a single line.
const SINGLE_WITHIN: Duration = Duration::from_secs(10);

/// Time limit of a batch.
const BATCH_WITHIN: Duration = Duration::from_secs(30);

/// Time limit of the whole load; lines not sent by then are not sent.
const ALL_WITHIN: Duration = Duration::from_secs(300);

/// Time limit of the first request, which only checks that there is a server.
const HELLO_WITHIN: Duration = Duration::from_secs(5);

/// Checks the URL. Another host needs a flag: load on somebody else's machine is an attack.
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

/// Makes a client that keeps one connection open for each request in flight.
pub fn client(in_flight: usize, single: bool) -> Result<Client, String> {
    Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        // Retries would copy each request.
        .retry(retry::never().max_retries_per_request(0))
        .pool_max_idle_per_host(in_flight)
        .timeout(if single { SINGLE_WITHIN } else { BATCH_WITHIN })
        .build()
        .map_err(|e| e.to_string())
}

/// Checks that a server with log ingest answers at this URL.
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
