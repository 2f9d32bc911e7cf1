//! The race as clients see it: its answer, its events, and its recording. docs/race.md describes the
//! fields.

use std::{collections::BTreeMap, sync::Arc};

use observe::{
    live::{InFlightNow, WorkerNow},
    measurements::Summary,
};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{plan::Mode, statistics::Latency, verdict::Verdict};

/// Version of the format, for recordings.
pub const VERSION: u32 = 1;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Running,
    Finished,
    Stopped,
    Failed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LaneState {
    Waiting,
    Settling,
    Running,
    Ending,
    Ended,
}

/// Kind of a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Preparing,
    Settling,
    NotQuiet,
    Started,
    Ending,
    Ended,
    Capture,
    Failed,
    Stopped,
    Finished,
}

#[derive(Clone, Serialize)]
pub struct RaceOut {
    pub version: u32,
    pub id: u64,
    pub lab: &'static str,
    pub title: String,
    pub mode: Mode,
    pub visitors: u32,
    pub seconds: u32,
    pub think_ms: f64,
    pub load: String,
    pub started: String,
    pub state: State,
    pub reason: Option<String>,
    pub workers: usize,
    pub machine: Machine,
    pub neighbour: NeighbourOut,
    pub gate: Vec<Line>,
    pub captures: Vec<CaptureOut>,
    pub lanes: Vec<LaneOut>,
    pub notes: Vec<Note>,
    pub ticks: Vec<Arc<RawValue>>,
}

#[derive(Clone, Serialize)]
pub struct Machine {
    pub cores: usize,
    pub build: &'static str,
}

#[derive(Clone, Serialize)]
pub struct NeighbourOut {
    pub path: &'static str,
    pub worst_ms: Option<f64>,
    pub asked: u64,
}

/// Threshold to draw.
#[derive(Clone, Serialize)]
pub struct Line {
    pub metric: String,
    pub expression: String,
    pub limit: f64,
    pub unit: &'static str,
    pub slow_crosses: bool,
}

#[derive(Clone, Debug, Serialize)]
pub struct CaptureOut {
    pub mode: &'static str,
    pub id: Option<u64>,
    pub total: Option<u64>,
    pub seconds: u32,
    pub error: Option<String>,
}

#[derive(Clone, Serialize)]
pub struct LaneOut {
    pub variant: String,
    pub path: String,
    pub state: LaneState,
    pub quiet: Option<bool>,
    pub waited_ms: Option<f64>,
    pub started: Option<String>,
    pub started_ms: Option<f64>,
    pub ended: Option<String>,
    pub ended_ms: Option<f64>,
    pub requests: Requests,
    pub latency: Latency,
    pub measured: Option<Summary>,
    pub slowest: Vec<Slowest>,
    pub captures: Vec<CaptureOut>,
    pub verdict: Option<Verdict>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Requests {
    pub sent: u64,
    pub answered: u64,
    /// Without an answer, or with a status that lab.json doesn't allow.
    pub failed: u64,
    /// Given up at the end.
    pub unfinished: u64,
    pub dropped: u64,
    pub statuses: BTreeMap<u16, u64>,
}

/// Slowest answer of a second of a lane.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Slowest {
    pub second: u64,
    #[serde(flatten)]
    pub point: Point,
    pub is_kept: bool,
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Point {
    pub at_ms: f64,
    pub ms: f64,
    pub status: u16,
    pub trace_id: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct Note {
    pub at_ms: f64,
    pub lane: Option<usize>,
    pub kind: Kind,
    pub text: String,
}

#[derive(Serialize)]
pub struct Tick {
    pub n: u64,
    pub at_ms: f64,
    pub lanes: Vec<LaneTick>,
    pub workers: Vec<WorkerNow>,
    pub neighbour: NeighbourNow,
}

#[derive(Serialize)]
pub struct LaneTick {
    pub variant: String,
    pub state: LaneState,
    pub sent: u64,
    pub answered: u64,
    pub failed: u64,
    pub dropped: u64,
    pub in_flight: usize,
    pub oldest_ms: Option<f64>,
    pub p50_ms: Option<f64>,
    pub p95_ms: Option<f64>,
    pub last: Vec<Point>,
    pub server: ServerNow,
}

/// What the app's own records say of a variant.
#[derive(Serialize)]
pub struct ServerNow {
    pub in_flight: usize,
    pub oldest_ms: Option<f64>,
    pub oldest_trace_id: Option<String>,
    pub counters: BTreeMap<&'static str, f64>,
    pub most: BTreeMap<&'static str, f64>,
}

impl From<InFlightNow> for ServerNow {
    fn from(now: InFlightNow) -> Self {
        let InFlightNow { in_flight, oldest_ms, oldest_trace_id, counters, most } = now;
        Self { in_flight, oldest_ms, oldest_trace_id, counters, most }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct NeighbourNow {
    pub last_ms: Option<f64>,
    pub pending_ms: Option<f64>,
    pub worst_ms: Option<f64>,
    pub status: Option<u16>,
    pub trace_id: Option<String>,
}

impl LaneOut {
    pub fn waiting(variant: &str, path: String) -> Self {
        Self {
            variant: variant.to_owned(),
            path,
            state: LaneState::Waiting,
            quiet: None,
            waited_ms: None,
            started: None,
            started_ms: None,
            ended: None,
            ended_ms: None,
            requests: Requests::default(),
            latency: Latency::default(),
            measured: None,
            slowest: Vec::new(),
            captures: Vec::new(),
            verdict: None,
        }
    }
}
