//! Spans of the traces of a run: how many pieces of work a request is seen to consist of.

use serde::{Deserialize, Serialize};

use super::Failure;
use crate::evidence::{Range, Statistic};
use observe::measurements::Figures;

/// Number of spans in each trace that was kept of a run.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Spans {
    pub traces: usize,
    /// None without a trace.
    pub figures: Option<Figures>,
}

impl Spans {
    /// Figures of traces with so many spans each.
    pub fn of(counts: Vec<u64>) -> Self {
        let traces = counts.len();
        Self {
            traces,
            figures: Figures::of(counts.into_iter().map(|count| count as f64).collect()),
        }
    }

    /// Checks that the traces are in the range, if there is one.
    pub fn judge(&self, expected: Option<Range>) -> Option<Failure> {
        let range = expected?;
        let Some(figures) = &self.figures else {
            return Some("spans were not measured: no trace was kept".to_owned());
        };
        let Figures { min, mean, p90, max } = figures;
        (!range.holds_all(figures)).then(|| {
            format!(
                "spans of a trace should be {range}, measured {min} to {max}, mean {mean:.1}, p90 \
                 {p90}, in {} traces",
                self.traces
            )
        })
    }

    /// The numbers for people, if the range says anything about them.
    pub fn shown(&self, expected: Option<Range>) -> Option<String> {
        let (range, Figures { min, mean, max, .. }) = (expected?, self.figures.as_ref()?);
        let mean = match range.statistic {
            Statistic::Mean => format!(", mean {mean:.1}"),
            Statistic::Every | Statistic::P90 => String::new(),
        };
        let ends = if min == max { format!("{min}") } else { format!("{min}–{max}") };
        Some(format!("spans {ends}{mean} in {} traces", self.traces))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(statistic: Statistic, min: Option<f64>, max: Option<f64>) -> Option<Range> {
        Some(Range { statistic, min, max })
    }

    #[test]
    fn every_trace_is_held_to_the_range() {
        let few = range(Statistic::Every, None, Some(10.0));
        let spans = Spans::of(vec![202, 2, 203]);
        assert_eq!(
            spans.judge(few).unwrap(),
            "spans of a trace should be ≤ 10, measured 2 to 203, mean 135.7, p90 203, in 3 traces"
        );
        assert_eq!(Spans::of(vec![2, 10]).judge(few), None);
        assert_eq!(spans.judge(range(Statistic::P90, Some(201.0), None)), None);
        assert_eq!(spans.judge(None), None);
        assert_eq!(spans.shown(few).unwrap(), "spans 2–203 in 3 traces");
    }

    #[test]
    fn no_trace_is_no_evidence() {
        let failure = Spans::of(Vec::new()).judge(range(Statistic::Every, None, Some(10.0)));
        assert_eq!(failure.unwrap(), "spans were not measured: no trace was kept");
    }
}
