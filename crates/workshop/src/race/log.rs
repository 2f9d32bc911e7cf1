//! The generator's own record of a lane: what it sent, what came back, and what is still out.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use super::{
    book::millis,
    record::{Point, Requests, Slowest},
    statistics::{Latency, percentile, sorted},
};
use crate::evidence::Answer;

/// Time that the rolling percentiles look back.
const ROLLING: Duration = Duration::from_secs(5);

pub struct Log {
    answer: Answer,
    race_began: Instant,
    began: Instant,
    next: u64,
    out: BTreeMap<u64, Instant>,
    requests: Requests,
    /// Durations of all answers, in milliseconds.
    answers: Vec<f64>,
    /// End and duration of the answers that the rolling percentiles have.
    recent: VecDeque<(Instant, f64)>,
    slowest: BTreeMap<u64, Point>,
    /// Slowest answer since the last tick.
    last: Option<Point>,
}

/// Figures that a tick shows.
pub struct Now {
    pub in_flight: usize,
    pub oldest_ms: Option<f64>,
    pub p50_ms: Option<f64>,
    pub p95_ms: Option<f64>,
}

impl Log {
    pub fn new(answer: Answer, race_began: Instant) -> Self {
        Self {
            answer,
            race_began,
            began: Instant::now(),
            next: 0,
            out: BTreeMap::new(),
            requests: Requests::default(),
            answers: Vec::new(),
            recent: VecDeque::new(),
            slowest: BTreeMap::new(),
            last: None,
        }
    }

    /// Sets the start of the lane.
    pub fn begin(&mut self) {
        self.began = Instant::now();
    }

    /// Records a request, and returns its number and its start.
    pub fn sends(&mut self) -> (u64, Instant) {
        let (number, now) = (self.next, Instant::now());
        self.next += 1;
        self.requests.sent += 1;
        self.out.insert(number, now);
        (number, now)
    }

    /// Records an answer. False if the request was given up before.
    pub fn answered(&mut self, number: u64, status: u16, trace_id: &str) -> Option<f64> {
        let sent = self.out.remove(&number)?;
        let now = Instant::now();
        let ms = millis(sent, now);
        self.requests.answered += 1;
        self.requests.failed += u64::from(!self.answer.allows(status));
        *self.requests.statuses.entry(status).or_default() += 1;
        self.answers.push(ms);
        self.recent.push_back((now, ms));
        let at_ms = millis(self.race_began, now);
        let point = Point { at_ms, ms, status, trace_id: trace_id.to_owned() };
        let second = now.saturating_duration_since(self.began).as_secs();
        let slowest = self.slowest.entry(second).or_insert_with(|| point.clone());
        if slowest.ms < ms {
            *slowest = point.clone();
        }
        if self.last.as_ref().is_none_or(|last| last.ms < ms) {
            self.last = Some(point);
        }
        Some(ms)
    }

    /// Records a request that got no answer.
    pub fn failed(&mut self, number: u64) -> Option<f64> {
        let sent = self.out.remove(&number)?;
        self.requests.failed += 1;
        Some(millis(sent, Instant::now()))
    }

    /// Records a request for which there was no user.
    pub fn dropped(&mut self) {
        self.requests.dropped += 1;
    }

    /// Gives up what is still out.
    pub fn give_up(&mut self) {
        self.requests.unfinished += self.out.len() as u64;
        self.out.clear();
    }

    pub fn requests(&self) -> &Requests {
        &self.requests
    }

    pub fn latency(&self) -> Latency {
        Latency::of(&self.answers)
    }

    pub fn slowest(&self) -> Vec<Slowest> {
        let slowest = self.slowest.iter();
        let slowest = slowest.map(|(second, point)| Slowest {
            second: *second,
            point: point.clone(),
            is_kept: false,
        });
        slowest.collect()
    }

    /// The slowest answer since the last call.
    pub fn take_last(&mut self) -> Option<Point> {
        self.last.take()
    }

    /// Figures of this moment. The percentiles include the ages of the requests that are out.
    pub fn now(&mut self) -> Now {
        let now = Instant::now();
        let is_old = |(ended, _): &(Instant, f64)| now.duration_since(*ended) > ROLLING;
        while self.recent.front().is_some_and(is_old) {
            self.recent.pop_front();
        }
        let ages: Vec<f64> = self.out.values().map(|sent| millis(*sent, now)).collect();
        let answered = self.recent.iter().map(|(_, ms)| *ms);
        let all = sorted(&answered.chain(ages.iter().copied()).collect::<Vec<_>>());
        Now {
            in_flight: ages.len(),
            oldest_ms: ages.iter().copied().max_by(f64::total_cmp),
            p50_ms: percentile(&all, 50.0),
            p95_ms: percentile(&all, 95.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::tests::plain;

    fn log() -> Log {
        let answer = serde_json::from_value(plain()["answer"].clone()).unwrap();
        Log::new(answer, Instant::now())
    }

    #[test]
    fn a_request_is_counted_once_however_it_ends() {
        let mut log = log();
        let [right, wrong, refused, late] = [(); 4].map(|()| log.sends().0);
        assert!(log.answered(right, 200, "a").is_some() && log.answered(right, 200, "a").is_none());
        log.answered(wrong, 500, "b").unwrap();
        log.failed(refused).unwrap();
        log.give_up();
        assert_eq!(log.answered(late, 200, "c"), None);
        assert_eq!(log.failed(late), None);
        let statuses = BTreeMap::from([(200, 1), (500, 1)]);
        let requests =
            Requests { sent: 4, answered: 2, failed: 2, unfinished: 1, dropped: 0, statuses };
        assert_eq!(*log.requests(), requests);
    }

    #[test]
    fn percentiles_are_there_before_the_first_answer() {
        let mut log = log();
        assert!(log.now().p95_ms.is_none());
        log.sends();
        let now = log.now();
        assert!(now.in_flight == 1 && now.p95_ms.is_some() && now.p95_ms == now.oldest_ms);
        assert_eq!(log.latency(), Latency::default());
    }
}
