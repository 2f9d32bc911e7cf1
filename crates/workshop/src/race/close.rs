//! The end of a lane: its figures, those of the app, its slowest answers, and its verdict.

use std::time::{Duration, SystemTime};

use opentelemetry::trace::TraceId;
use tokio::time::sleep;

use super::{
    conductor::{Stage, rfc3339},
    lane::Lane,
    record::{Kind, LaneState, Slowest},
    verdict,
};

/// Time for the last spans of a lane to be kept.
const SPANS_WITHIN: Duration = Duration::from_millis(20);

impl Stage<'_> {
    /// Pins the trace that the page shows: the next lane would evict it.
    fn pin_slowest(&self, slowest: &[Slowest]) {
        let kept = slowest.iter().filter(|slow| slow.is_kept);
        let slowest = kept.max_by(|a, b| a.point.ms.total_cmp(&b.point.ms));
        if let Some(Ok(trace)) = slowest.map(|slow| TraceId::from_hex(&slow.point.trace_id)) {
            self.races.around.traces.pin(trace);
        }
    }

    /// Closes the record of a lane that has started.
    pub(super) async fn close(&self, lane: &Lane, is_whole: bool) -> Result<(), String> {
        let Some(started) = lane.started.get() else { return Ok(()) };
        if lane.state.get() == LaneState::Ended {
            return Ok(());
        }
        lane.log.borrow_mut().give_up();
        let (ended, ended_ms) = (SystemTime::now(), self.race.at_ms());
        sleep(SPANS_WITHIN).await;
        let measured = self.loaded.measurements(&lane.variant);
        let measured = measured.map(|kept| kept.between(Some(started), Some(ended)));
        let (requests, latency, mut slowest) = {
            let log = lane.log.borrow();
            (log.requests().clone(), log.latency(), log.slowest())
        };
        for slow in &mut slowest {
            let trace = TraceId::from_hex(&slow.point.trace_id);
            slow.is_kept = trace.is_ok_and(|trace| self.races.around.traces.has(trace));
        }
        self.pin_slowest(&slowest);
        let seconds = ended.duration_since(started).unwrap_or_default().as_secs_f64();
        let evidence = &self.loaded.evidence;
        let judged = match lane.samples.as_ref().filter(|_| is_whole) {
            Some(samples) => {
                Some(verdict::judge(evidence, &lane.variant, &samples.borrow(), seconds)?)
            }
            None => None,
        };
        let text = match lane.trouble() {
            None => format!("{} has ended: {} answers", lane.variant, requests.answered),
            Some(why) => format!(
                "{} has ended: {} answers; a request got none: {why}",
                lane.variant, requests.answered
            ),
        };
        lane.state.set(LaneState::Ended);
        self.race.change_lane(lane.index, |out| {
            out.state = LaneState::Ended;
            out.ended = Some(rfc3339(ended));
            out.ended_ms = Some(ended_ms);
            (out.requests, out.latency, out.slowest) = (requests, latency, slowest);
            (out.measured, out.verdict) = (measured, judged);
        });
        self.race.note(Some(lane.index), Kind::Ended, text);
        Ok(())
    }
}
