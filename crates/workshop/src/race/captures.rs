//! Profiles of a lane: by wall clock in its first half, by CPU time in its second. The process has one
//! profiler, so they can't be taken at once.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use observe::{
    labels::Labels,
    profiles::{Capture, Captures, Mode, Request, take},
};

use super::{
    book::Race,
    record::{CaptureOut, Kind},
};

/// Longest profile in seconds: enough samples for a picture.
const MOST_SECONDS: u32 = 10;
/// Samples per second, as `/debug/pprof` has it: not in step with what ticks at 100 Hz.
const HZ: u32 = 99;

/// Takes both profiles, and adds them to the lane, or to the race where both lanes run.
pub async fn take_both(
    race: Arc<Race>,
    lane: Option<usize>,
    captures: Arc<Captures>,
    labels: Labels,
    lane_seconds: u32,
) {
    let ends = Instant::now() + Duration::from_secs(lane_seconds.into());
    let half = (lane_seconds / 2).clamp(1, MOST_SECONDS);
    add(&race, lane, one(Mode::Wall, half, &labels, &captures).await);
    // Resolving the names of the first one took its time.
    let left = ends.saturating_duration_since(Instant::now()).as_secs();
    let left = u32::try_from(left).unwrap_or(u32::MAX).min(MOST_SECONDS);
    add(
        &race,
        lane,
        match left {
            0 => failed(Mode::Cpu, 0, "the lane ended before it could begin".to_owned()),
            seconds => one(Mode::Cpu, seconds, &labels, &captures).await,
        },
    );
}

async fn one(mode: Mode, seconds: u32, labels: &Labels, captures: &Arc<Captures>) -> CaptureOut {
    let request = Request { mode, seconds, hz: HZ, with_idle: false, labels: labels.clone() };
    match take(request, captures.clone()).await.as_deref() {
        Ok(Capture { id, total, .. }) => CaptureOut {
            mode: mode.name(),
            id: Some(*id),
            total: Some(*total),
            seconds,
            error: None,
        },
        Err(error) => failed(mode, seconds, error.to_string()),
    }
}

fn failed(mode: Mode, seconds: u32, error: String) -> CaptureOut {
    CaptureOut { mode: mode.name(), id: None, total: None, seconds, error: Some(error) }
}

fn add(race: &Race, lane: Option<usize>, capture: CaptureOut) {
    let text = match (&capture.error, capture.id) {
        (None, Some(id)) => format!("{} profile {id} is ready", capture.mode),
        (error, _) => {
            format!("no {} profile: {}", capture.mode, error.as_deref().unwrap_or("unknown"))
        }
    };
    match lane {
        Some(index) => race.change_lane(index, |lane| lane.captures.push(capture)),
        None => race.update(|out| out.captures.push(capture)),
    }
    race.note(lane, Kind::Capture, text);
}
