//! Traces of the requests: head sampling, and the requests that the report names. The server's log
//! has all trace ids: ours for sampled requests, its own for the others.

use std::time::Duration;

use serde::Serialize;

use super::Outcome;
use observe::request_id::TRACE_ID;

/// Traces sampled at the start, so that a short load has some, and in each second after it. All
/// traces would cost the server more than the lines, and evict each other from its memory.
const FEW: u32 = 10;

/// Interval of the samples after the start.
const EVERY: Duration = Duration::from_millis(1_000 / FEW as u64);

/// Sampler of the requests.
#[derive(Default)]
pub struct Sampling {
    sampled: u32,
}

impl Sampling {
    /// Decides on the next request, at this time after the start.
    pub fn next(&mut self, elapsed: Duration) -> bool {
        let is_due = elapsed >= EVERY * (self.sampled + 1).saturating_sub(FEW);
        self.sampled += u32::from(is_due);
        is_due
    }
}

/// Requests that the report names.
#[derive(Debug, Default, Serialize)]
pub struct Traces {
    /// Slowest of the acknowledged requests.
    pub slowest: Option<Named>,
    /// Slowest of the sampled requests.
    pub slowest_sampled: Option<Named>,
    pub first_failed: Option<Named>,
}

/// A request, by the ids that it sent, or else by those of its answer.
#[derive(Debug, Serialize)]
pub struct Named {
    /// None if it sent no id and got no answer.
    pub trace_id: Option<String>,
    /// Span of this client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span_id: Option<String>,
    /// True if the request asked for sampling.
    pub sampled: bool,
    pub ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

impl Named {
    fn new(of: &Outcome, failure: Option<&str>) -> Self {
        let answered = || Some(of.headers.get(TRACE_ID)?.to_str().ok()?.to_owned());
        let sent = of.sent.as_ref();
        Self {
            trace_id: sent.map(|sent| sent.trace_id().to_string()).or_else(answered),
            span_id: sent.map(|sent| sent.span_id().to_string()),
            sampled: sent.is_some(),
            ms: ms(of.took),
            failure: failure.map(str::to_owned),
        }
    }
}

fn ms(took: Duration) -> f64 {
    took.as_secs_f64() * 1_000.0
}

impl Traces {
    pub fn acknowledged(&mut self, outcome: &Outcome) {
        let is_record =
            |of: &Option<Named>| of.as_ref().is_none_or(|named| ms(outcome.took) > named.ms);
        if is_record(&self.slowest) {
            self.slowest = Some(Named::new(outcome, None));
        }
        if outcome.sent.is_some() && is_record(&self.slowest_sampled) {
            self.slowest_sampled = Some(Named::new(outcome, None));
        }
    }

    pub fn failed(&mut self, outcome: &Outcome, failure: &str) {
        self.first_failed.get_or_insert_with(|| Named::new(outcome, Some(failure)));
    }
}

#[cfg(test)]
mod tests {
    use reqwest::{StatusCode, header::HeaderMap};

    use super::*;
    use observe::traces::propagation::root;

    #[test]
    fn a_few_are_sampled_at_the_start_and_as_many_in_each_second() {
        let mut sampling = Sampling::default();
        let mut sampled =
            |millis| (0..100).filter(|_| sampling.next(Duration::from_millis(millis))).count();
        assert_eq!((sampled(0), sampled(99), sampled(100), sampled(1_000)), (10, 0, 1, 9));
        assert_eq!(sampled(3_000), 20, "those that are owed after a pause");
    }

    /// Outcome of a sampled request, or of one that was answered with this trace id.
    fn outcome(answered: Option<&str>, millis: u64) -> Outcome {
        let header = answered.map(|id| (TRACE_ID, id.parse().unwrap()));
        Outcome {
            sent: answered.is_none().then(root),
            headers: HeaderMap::from_iter(header),
            status: Ok(StatusCode::OK),
            took: Duration::from_millis(millis),
        }
    }

    fn named(named: Option<Named>) -> (Option<String>, Option<String>, bool, f64) {
        let Named { trace_id, span_id, sampled, ms, .. } = named.unwrap();
        (trace_id, span_id, sampled, ms)
    }

    #[test]
    fn the_slowest_are_named_and_the_first_that_failed() {
        let mut traces = Traces::default();
        let mut sampled = outcome(None, 20);
        sampled.headers.insert(TRACE_ID, "of-the-answer".parse().unwrap());
        for outcome in
            [&sampled, &outcome(Some("b"), 40), &outcome(None, 10), &outcome(Some("d"), 30)]
        {
            traces.acknowledged(outcome);
        }
        traces.failed(&outcome(Some("e"), 1), "status 503");
        traces.failed(&outcome(None, 2), "timeout");
        let sent = sampled.sent.unwrap();
        let ids = (Some(sent.trace_id().to_string()), Some(sent.span_id().to_string()));
        assert_eq!(named(traces.slowest), (Some("b".to_owned()), None, false, 40.0));
        assert_eq!(named(traces.slowest_sampled), (ids.0, ids.1, true, 20.0));
        let failure = traces.first_failed.as_ref().unwrap().failure.as_deref();
        assert_eq!(failure, Some("status 503"));
        assert_eq!(named(traces.first_failed), (Some("e".to_owned()), None, false, 1.0));
    }

    #[test]
    fn without_an_answer_only_one_that_was_sampled_has_a_trace() {
        let mut unanswered = outcome(Some("gone"), 1);
        unanswered.headers.clear();
        assert_eq!(Named::new(&unanswered, None).trace_id, None);
        let sampled = outcome(None, 1);
        let id = sampled.sent.as_ref().unwrap().trace_id().to_string();
        assert_eq!(Named::new(&sampled, None).trace_id, Some(id));
    }
}
