//! The measurements, and which goals they meet.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Plan, QueryBack, Tally, Traces};

/// Goals of a run.
#[derive(Clone, Copy, Debug)]
pub struct Goals {
    pub lines_per_second: f64,
    pub p95_ms: f64,
}

#[derive(Debug, Serialize)]
pub struct Report {
    pub devices: u32,
    pub lines_per_device: u32,
    pub lines_per_request: u32,
    pub in_flight: usize,
    pub seconds: f64,
    pub requests: u64,
    pub lines_acknowledged: u64,
    pub lines_per_second: f64,
    /// Latency of the acknowledged requests.
    pub latency_ms: Latency,
    /// Requests that were not acknowledged, by kind of failure.
    pub failures: BTreeMap<String, u64>,
    pub traces: Traces,
    /// None if the lines could not be read back.
    pub query_back: Option<QueryBack>,
    pub goals: Vec<Goal>,
    pub all_met: bool,
}

#[derive(Debug, Serialize)]
pub struct Latency {
    pub mean: f64,
    pub min: f64,
    pub max: f64,
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
}

#[derive(Debug, Serialize)]
pub struct Goal {
    pub goal: String,
    pub measured: String,
    pub met: bool,
}

impl Report {
    pub fn new(plan: &Plan, goals: Goals, tally: Tally, back: Result<QueryBack, String>) -> Self {
        let seconds = tally.elapsed.as_secs_f64();
        let lines_per_second = if seconds > 0.0 { tally.lines as f64 / seconds } else { 0.0 };
        let ms = |micros: u64| micros as f64 / 1_000.0;
        let at = |quantile| ms(tally.latency.value_at_quantile(quantile));
        let latency_ms = Latency {
            mean: tally.latency.mean() / 1_000.0,
            min: ms(tally.latency.min()),
            max: ms(tally.latency.max()),
            p50: at(0.5),
            p95: at(0.95),
            p99: at(0.99),
        };
        let goals = vec![
            Goal {
                goal: format!("at least {} lines/s", goals.lines_per_second),
                measured: format!("{lines_per_second:.0}"),
                met: lines_per_second >= goals.lines_per_second,
            },
            Goal {
                goal: format!("p95 at most {} ms", goals.p95_ms),
                measured: format!("{:.1} ms", latency_ms.p95),
                // Without an acknowledged request there is no p95.
                met: tally.lines > 0 && latency_ms.p95 <= goals.p95_ms,
            },
            Goal {
                goal: "no request failed".to_owned(),
                measured: tally.failed().to_string(),
                met: tally.failed() == 0,
            },
            Goal {
                goal: "every acknowledged line is there".to_owned(),
                measured: match &back {
                    Ok(back) => format!("{} of {} missing", back.missing, back.acknowledged),
                    Err(why) => why.clone(),
                },
                met: back.as_ref().is_ok_and(|back| back.missing == 0),
            },
        ];
        Self {
            devices: plan.devices,
            lines_per_device: plan.lines_per_device,
            lines_per_request: plan.batch.unwrap_or(1),
            in_flight: plan.in_flight,
            seconds,
            requests: tally.requests,
            lines_acknowledged: tally.lines,
            lines_per_second,
            latency_ms,
            failures: tally.failures,
            traces: tally.traces,
            query_back: back.ok(),
            all_met: goals.iter().all(|goal| goal.met),
            goals,
        }
    }
}
