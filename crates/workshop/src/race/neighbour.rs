//! The neighbour: a real endpoint of the product, asked four times a second. It does nothing wrong,
//! and is the one that waits.

use std::{
    cell::RefCell,
    collections::VecDeque,
    time::{Duration, Instant},
};

use observe::request_id::TRACE_ID;
use reqwest::Client;
use tokio::time::{MissedTickBehavior, interval};

use super::{
    book::millis,
    record::{NeighbourNow, NeighbourOut},
};

pub const PATH: &str = "/api/posts?limit=10";

const ASKED_EVERY: Duration = Duration::from_millis(250);
/// Time that the worst answer is remembered.
const REMEMBERED: Duration = Duration::from_secs(2);
/// A neighbour that is answered sooner has nothing to complain about.
pub const QUIET_BELOW_MS: f64 = 50.0;

#[derive(Default)]
pub struct Neighbour(RefCell<Seen>);

#[derive(Default)]
struct Seen {
    pending: Option<Instant>,
    /// End and duration of each answer that is remembered.
    recent: VecDeque<(Instant, f64)>,
    last: Option<Last>,
    asked: u64,
    worst_ms: Option<f64>,
}

struct Last {
    began: Instant,
    ms: f64,
    status: u16,
    trace_id: Option<String>,
}

impl Neighbour {
    /// Asks for ever, one request at a time.
    pub async fn ask(&self, http: &Client, base: &str) {
        let url = format!("{base}{PATH}");
        let mut every = interval(ASKED_EVERY);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            every.tick().await;
            let began = Instant::now();
            self.0.borrow_mut().pending = Some(began);
            let (status, trace_id) = asked(http, &url).await;
            self.answered(Last { began, ms: millis(began, Instant::now()), status, trace_id });
        }
    }

    fn answered(&self, last: Last) {
        let mut seen = self.0.borrow_mut();
        seen.pending = None;
        seen.asked += 1;
        seen.worst_ms = Some(seen.worst_ms.map_or(last.ms, |worst| worst.max(last.ms)));
        seen.recent.push_back((Instant::now(), last.ms));
        seen.last = Some(last);
    }

    pub fn now(&self) -> NeighbourNow {
        let mut seen = self.0.borrow_mut();
        let now = Instant::now();
        let is_old = |(ended, _): &(Instant, f64)| now.duration_since(*ended) > REMEMBERED;
        while seen.recent.front().is_some_and(is_old) {
            seen.recent.pop_front();
        }
        let pending_ms = seen.pending.map(|began| millis(began, now));
        let known = seen.recent.iter().map(|(_, ms)| *ms).chain(pending_ms);
        let worst_ms = known.max_by(f64::total_cmp);
        let last = seen.last.as_ref();
        NeighbourNow {
            last_ms: last.map(|last| last.ms),
            pending_ms,
            worst_ms,
            status: last.map(|last| last.status),
            trace_id: last.and_then(|last| last.trace_id.clone()),
        }
    }

    /// Forgets the answers of the lane before, which are not what the next one does to it.
    pub fn forget(&self) {
        self.0.borrow_mut().recent.clear();
    }

    pub fn out(&self) -> NeighbourOut {
        let seen = self.0.borrow();
        NeighbourOut { path: PATH, worst_ms: seen.worst_ms, asked: seen.asked }
    }

    /// True if an answer to a request after `since` came soon, and none is overdue.
    pub fn is_quiet(&self, since: Instant) -> bool {
        let seen = self.0.borrow();
        let is_soon =
            |last: &Last| last.began >= since && last.status == 200 && last.ms < QUIET_BELOW_MS;
        let now = Instant::now();
        seen.last.as_ref().is_some_and(is_soon)
            && seen.pending.is_none_or(|began| millis(began, now) < QUIET_BELOW_MS)
    }
}

/// Status and trace of an answer; status 0 without one.
async fn asked(http: &Client, url: &str) -> (u16, Option<String>) {
    let Ok(answer) = http.get(url).send().await else { return (0, None) };
    let trace = answer.headers().get(TRACE_ID).and_then(|id| id.to_str().ok());
    let trace = trace.map(str::to_owned);
    let status = answer.status().as_u16();
    match answer.bytes().await {
        Ok(_) => (status, trace),
        Err(_) => (0, trace),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(ms: f64, began: Instant) -> Last {
        Last { began, ms, status: 200, trace_id: None }
    }

    #[test]
    fn the_pending_request_counts_among_the_worst() {
        let neighbour = Neighbour::default();
        assert_eq!(neighbour.now(), NeighbourNow::default());
        let now = Instant::now();
        neighbour.answered(answer(3.0, now));
        assert_eq!(neighbour.now().worst_ms, Some(3.0));
        neighbour.0.borrow_mut().pending = now.checked_sub(Duration::from_millis(700));
        let seen = neighbour.now();
        assert!(seen.worst_ms == seen.pending_ms && seen.worst_ms >= Some(700.0), "{seen:?}");
        assert_eq!(neighbour.out().worst_ms, Some(3.0));
    }

    #[test]
    fn a_lane_is_not_blamed_for_the_one_before() {
        let neighbour = Neighbour::default();
        neighbour.answered(answer(900.0, Instant::now()));
        neighbour.forget();
        assert_eq!(neighbour.now().worst_ms, None);
        neighbour.answered(answer(3.0, Instant::now()));
        assert_eq!(neighbour.now().worst_ms, Some(3.0));
        assert_eq!(neighbour.out().worst_ms, Some(900.0), "that is the worst of the whole race");
    }

    #[test]
    fn it_is_quiet_only_by_a_quick_answer_since_the_wait_began() {
        let neighbour = Neighbour::default();
        let before = Instant::now();
        assert!(!neighbour.is_quiet(before));
        neighbour.answered(answer(60.0, before));
        assert!(!neighbour.is_quiet(before));
        neighbour.answered(answer(3.0, before));
        assert!(neighbour.is_quiet(before));
        assert!(!neighbour.is_quiet(before + Duration::from_millis(1)));
        neighbour.0.borrow_mut().pending = before.checked_sub(Duration::from_millis(700));
        assert!(!neighbour.is_quiet(before));
    }
}
