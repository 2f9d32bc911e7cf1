//! The traces that the requests begin: which of them the server is asked to keep, and which the report
//! names. Its log has the ids of all.

use std::time::Duration;

use opentelemetry::trace::SpanContext;
use serde::Serialize;

/// Traces kept from the start on, so that a short load has some, and of each second thereafter. All of
/// them would cost the server more than the lines do, and push each other out of its memory.
const FEW: u128 = 10;

/// Says which requests ask for their trace to be kept.
#[derive(Default)]
pub struct Sampling {
    asked: u128,
}

impl Sampling {
    /// Whether the next one asks, so long after the start.
    pub fn next(&mut self, elapsed: Duration) -> bool {
        let is_due = self.asked < FEW + FEW * elapsed.as_millis() / 1_000;
        self.asked += u128::from(is_due);
        is_due
    }
}

/// The requests that are worth a look.
#[derive(Debug, Default, Serialize)]
pub struct Traces {
    /// Of those that were acknowledged.
    pub slowest: Option<Named>,
    /// The slowest whose trace the server was asked to keep.
    pub slowest_sampled: Option<Named>,
    pub first_failed: Option<Named>,
}

/// A request, by the ids that it sent.
#[derive(Debug, Serialize)]
pub struct Named {
    pub trace_id: String,
    pub span_id: String,
    /// Whether the server was asked to keep its trace.
    pub sampled: bool,
    pub ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

impl Named {
    fn new(sent: &SpanContext, took: Duration, failure: Option<&str>) -> Self {
        Self {
            trace_id: sent.trace_id().to_string(),
            span_id: sent.span_id().to_string(),
            sampled: sent.is_sampled(),
            ms: ms(took),
            failure: failure.map(str::to_owned),
        }
    }
}

fn ms(took: Duration) -> f64 {
    took.as_secs_f64() * 1_000.0
}

impl Traces {
    pub fn acknowledged(&mut self, sent: &SpanContext, took: Duration) {
        let is_record = |of: &Option<Named>| of.as_ref().is_none_or(|named| ms(took) > named.ms);
        if is_record(&self.slowest) {
            self.slowest = Some(Named::new(sent, took, None));
        }
        if sent.is_sampled() && is_record(&self.slowest_sampled) {
            self.slowest_sampled = Some(Named::new(sent, took, None));
        }
    }

    pub fn failed(&mut self, sent: &SpanContext, took: Duration, failure: &str) {
        self.first_failed.get_or_insert_with(|| Named::new(sent, took, Some(failure)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::traces::propagation::root;

    #[test]
    fn a_few_ask_at_the_start_and_as_many_in_each_second() {
        let mut sampling = Sampling::default();
        let mut asked =
            |millis| (0..100).filter(|_| sampling.next(Duration::from_millis(millis))).count();
        assert_eq!((asked(0), asked(99), asked(100), asked(1_000)), (10, 0, 1, 9));
        assert_eq!(asked(3_000), 20, "those that are owed after a pause");
    }

    #[test]
    fn the_slowest_are_named_and_the_first_that_failed() {
        let mut traces = Traces::default();
        let sent: Vec<_> = [true, false, true, false].map(root).into();
        let after = Duration::from_millis;
        for (sent, took) in sent.iter().zip([20, 40, 10, 30]) {
            traces.acknowledged(sent, after(took));
        }
        traces.failed(&sent[3], after(1), "status 503");
        traces.failed(&sent[2], after(2), "timeout");
        let named = |named: Option<Named>| {
            let named = named.unwrap();
            (named.trace_id, named.sampled, named.ms, named.failure)
        };
        let id = |n: usize| sent[n].trace_id().to_string();
        assert_eq!(named(traces.slowest), (id(1), false, 40.0, None));
        assert_eq!(named(traces.slowest_sampled), (id(0), true, 20.0, None));
        let failure = Some("status 503".to_owned());
        assert_eq!(named(traces.first_failed), (id(3), false, 1.0, failure));
    }
}
