//! Sends the lines: each sender has one request in flight and then takes the next batch, until none
//! is left or the load is stopped. All senders are one task on one thread, so that the server has
//! the other cores.

use std::{
    cell::{Cell, RefCell},
    fmt::Write,
    mem,
    ops::Range,
    pin::pin,
    time::Instant,
};

use futures_util::future::join_all;
use reqwest::{
    Client, RequestBuilder, StatusCode, Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderValue},
};

use super::{ALL_WITHIN, Ledger, Outcome, Tally, join, traces::Sampling};
use observe::traces::propagation;

/// The load to send.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Id of this run, which makes its device names unique.
    pub run: String,
    pub devices: u32,
    pub lines_per_device: u32,
    /// Lines per request; none for the endpoint that takes a single line.
    pub batch: Option<u32>,
    pub in_flight: usize,
}

impl Plan {
    pub fn lines(&self) -> u64 {
        u64::from(self.devices) * u64::from(self.lines_per_device)
    }

    fn per_request(&self) -> u32 {
        self.batch.unwrap_or(1)
    }

    pub fn requests(&self) -> u64 {
        u64::from(self.devices) * u64::from(self.lines_per_device.div_ceil(self.per_request()))
    }

    fn device(&self, index: u32) -> String {
        format!("stress-{}-{index}", self.run)
    }

    /// Device and lines of a request. Devices take turns, as they would in reality.
    fn request(&self, number: u64) -> (u32, Range<u32>) {
        let devices = u64::from(self.devices);
        let index = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        let start = index(number / devices).saturating_mul(self.per_request());
        let end = start.saturating_add(self.per_request()).min(self.lines_per_device);
        (index(number % devices), start..end)
    }
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const LEVELS: [&str; 5] = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"];

/// Bytes reserved per line: more than a line needs with its share of the batch.
const LINE_BYTES: usize = 160;

struct Load<'a> {
    client: &'a Client,
    url: Url,
    plan: &'a Plan,
    devices: Vec<String>,
    next: Cell<u64>,
    is_stopped: Cell<bool>,
    started: Instant,
    sampling: RefCell<Sampling>,
    tally: RefCell<Tally>,
    ledger: RefCell<Ledger>,
    progress: &'a dyn Fn(u64),
}

/// Sends everything, or as much as fits before `stop` completes, then waits for the requests in
/// flight. Reports the number of acknowledged lines to `progress`.
pub async fn run(
    client: &Client,
    url: &Url,
    plan: &Plan,
    stop: impl Future<Output = ()>,
    progress: &dyn Fn(u64),
) -> Result<(Tally, Ledger), String> {
    let load = Load {
        client,
        url: join(url, if plan.batch.is_some() { "/api/logs/batch" } else { "/api/log" }),
        plan,
        devices: (0..plan.devices).map(|index| plan.device(index)).collect(),
        next: Cell::new(0),
        is_stopped: Cell::new(false),
        started: Instant::now(),
        sampling: RefCell::default(),
        tally: RefCell::new(Tally::new()?),
        ledger: RefCell::default(),
        progress,
    };
    load.send(stop).await;
    let is_stopped = load.is_stopped.get();
    let mut tally = load.tally.into_inner();
    tally.elapsed = load.started.elapsed();
    let unsent = plan.requests() - load.next.get().min(plan.requests());
    if unsent > 0 {
        let why = if is_stopped {
            "not sent, as it was stopped".to_owned()
        } else {
            format!("not sent within {} s", ALL_WITHIN.as_secs())
        };
        tally.fail(why, unsent);
    }
    Ok((tally, load.ledger.into_inner()))
}

impl Load<'_> {
    async fn send(&self, stop: impl Future<Output = ()>) {
        let mut senders = pin!(join_all((0..self.plan.in_flight).map(|_| self.send_until_done())));
        tokio::select! {
            _ = &mut senders => {}
            () = stop => {
                self.is_stopped.set(true);
                senders.await;
            }
        }
    }

    async fn send_until_done(&self) {
        let goes_on = || !self.is_stopped.get() && self.started.elapsed() < ALL_WITHIN;
        while self.next.get() < self.plan.requests() && goes_on() {
            let (device, lines) = self.plan.request(self.next.replace(self.next.get() + 1));
            let device = &self.devices[device as usize];
            let outcome = self.ask(self.body(device, lines.clone())).await;
            let mut tally = self.tally.borrow_mut();
            if tally.add(lines.len() as u64, &outcome) {
                self.ledger.borrow_mut().add(device, lines);
                (self.progress)(tally.lines);
            }
        }
    }

    async fn ask(&self, body: String) -> Outcome {
        let mut request = self.client.post(self.url.clone()).header(CONTENT_TYPE, JSON).body(body);
        let started = Instant::now();
        let is_sampled = self.sampling.borrow_mut().next(started - self.started);
        let sent = is_sampled.then(propagation::root);
        if let Some(sent) = &sent {
            let mut traced = HeaderMap::new();
            propagation::inject(sent, &mut traced);
            request = request.headers(traced);
        }
        let mut headers = HeaderMap::new();
        let status = answer(request, &mut headers).await;
        Outcome { sent, headers, status, took: started.elapsed() }
    }

    fn body(&self, device: &str, lines: Range<u32>) -> String {
        let (before, after) = match self.plan.batch {
            Some(_) => (r#"{"logs":["#, "]}"),
            None => ("", ""),
        };
        let mut body = String::with_capacity(LINE_BYTES * lines.len());
        body.push_str(before);
        let first = lines.start;
        for line in lines {
            let separator = if line == first { "" } else { "," };
            let level = LEVELS[line as usize % LEVELS.len()];
            // Writing to a String can't fail.
            let _ = write!(
                body,
                r#"{separator}{{"device_id":"{device}","log_level":"{level}","message":"reading {line} of the stress run","log_data":{{"line":{line}}}}}"#
            );
        }
        body.push_str(after);
        body
    }
}

/// Reads the whole answer, so that its connection can be reused, and returns the status. `headers`
/// gets the answer's headers even if the body fails.
async fn answer(
    request: RequestBuilder,
    headers: &mut HeaderMap,
) -> Result<StatusCode, reqwest::Error> {
    let mut answer = request.send().await?;
    *headers = mem::take(answer.headers_mut());
    let status = answer.status();
    answer.bytes().await?;
    Ok(status)
}
