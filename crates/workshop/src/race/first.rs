//! The record of a race at its start.

use std::{thread, time::SystemTime};

use observe::{
    cost::{Counter, row::Unit},
    live::Live,
};

use super::{
    conductor::rfc3339,
    neighbour::PATH,
    plan::Plan,
    record::{LaneOut, Line, Machine, NeighbourOut, RaceOut, State, VERSION},
    thresholds::Threshold,
    verdict,
};
use crate::lab::LoadedLab;

impl RaceOut {
    /// The record of race number `id` at its start.
    pub fn first(id: u64, loaded: &LoadedLab, plan: &Plan, live: &Live) -> Self {
        let evidence = &loaded.evidence;
        let line = |threshold: Threshold| Line {
            limit: threshold.limit,
            unit: unit(&threshold),
            slow_crosses: threshold.is_crossed_by_slow(evidence),
            metric: threshold.metric,
            expression: threshold.expression,
        };
        Self {
            version: VERSION,
            id,
            lab: loaded.lab.id,
            title: evidence.title.clone(),
            mode: plan.mode,
            visitors: plan.visitors,
            seconds: plan.seconds,
            think_ms: plan.think_ms,
            load: plan.load.clone(),
            started: rfc3339(SystemTime::now()),
            state: State::Running,
            reason: None,
            workers: live.workers.polled().len(),
            machine: Machine {
                cores: thread::available_parallelism().map_or(1, usize::from),
                build: if cfg!(debug_assertions) { "debug" } else { "release" },
            },
            neighbour: NeighbourOut { path: PATH, worst_ms: None, asked: 0 },
            // A gate that a race does not understand has no lines; `Plan::of` says why.
            gate: verdict::thresholds(evidence).unwrap_or_default().into_iter().map(line).collect(),
            captures: Vec::new(),
            lanes: plan
                .lanes
                .iter()
                .map(|variant| LaneOut::waiting(variant, evidence.route(variant)))
                .collect(),
            notes: Vec::new(),
            ticks: Vec::new(),
        }
    }
}

fn unit(threshold: &Threshold) -> &'static str {
    let counters = Counter::ALL.iter().filter_map(|counter| counter.row());
    let row = counters.into_iter().find(|row| row.names.trend == threshold.metric);
    match row.map(|row| row.unit) {
        _ if threshold.is_share() => "share",
        _ if threshold.metric.ends_with("_duration") => "ms",
        _ if threshold.metric.contains("bytes") => "bytes",
        Some(Unit::Time) => "ms",
        Some(Unit::Share) => "share",
        Some(Unit::Count) | None => "count",
    }
}
