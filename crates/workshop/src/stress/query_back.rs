//! Reads the acknowledged lines back through the API, line by line.

use std::collections::HashMap;

use futures_util::{StreamExt, stream};
use reqwest::{Client, Url};
use serde::{Deserialize, Serialize};

use super::{Ledger, join};

/// Lines of one answer: the maximum of the API.
const PAGE: usize = 1_000;

/// Devices that are read at once: enough to keep a server busy, too few to be load.
const AT_ONCE: usize = 8;

/// Comparison of the stored lines with the acknowledged ones.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct QueryBack {
    pub acknowledged: u64,
    /// Stored lines of these devices, acknowledged or not.
    pub found: u64,
    /// Lines that were acknowledged but are not stored.
    pub missing: u64,
    /// Lines that are stored more than once.
    pub twice: u64,
}

#[derive(Deserialize)]
struct Page {
    logs: Vec<Line>,
    next_before: Option<i64>,
}

#[derive(Deserialize)]
struct Line {
    log_data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    line: u32,
}

pub async fn query_back(client: &Client, url: &Url, ledger: &Ledger) -> Result<QueryBack, String> {
    let mut all = QueryBack { acknowledged: ledger.lines(), ..QueryBack::default() };
    let answers = ledger.devices.iter().map(|(device, ranges)| async move {
        let times = lines_of(client, url, device).await?;
        Ok::<_, String>((times, ranges))
    });
    let mut answers = stream::iter(answers).buffer_unordered(AT_ONCE);
    while let Some(answer) = answers.next().await {
        let (times, ranges) = answer?;
        all.found += times.values().sum::<u64>();
        all.twice += times.values().filter(|times| **times > 1).count() as u64;
        let acknowledged = ranges.iter().cloned().flatten();
        all.missing += acknowledged.filter(|line| !times.contains_key(line)).count() as u64;
    }
    Ok(all)
}

/// Number of copies of each line of a device.
async fn lines_of(client: &Client, url: &Url, device: &str) -> Result<HashMap<u32, u64>, String> {
    let path = format!("/api/logs/{device}");
    let mut times = HashMap::new();
    let mut before = String::new();
    loop {
        let mut page = join(url, &path);
        page.set_query(Some(&format!("limit={PAGE}{before}")));
        let bad = |error: reqwest::Error| format!("{path}: {}", error.without_url());
        let answer = client.get(page).send().await.map_err(bad)?;
        let page: Page = answer.error_for_status().map_err(bad)?.json().await.map_err(bad)?;
        for line in page.logs.into_iter().filter_map(|line| line.log_data) {
            *times.entry(line.line).or_default() += 1;
        }
        match page.next_before {
            Some(id) => before = format!("&before={id}"),
            None => return Ok(times),
        }
    }
}
