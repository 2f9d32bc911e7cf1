//! The course of a race on the generator's thread: prepare, wait until the app is quiet, load one lane,
//! close its record, and the other lane.

use std::{
    cell::RefCell,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use futures_util::future::join_all;
use reqwest::Client;
use tokio::{
    runtime::Builder,
    task::{AbortHandle, JoinHandle, LocalSet, spawn_local},
    time::timeout,
};

use super::{
    book::Race,
    captures,
    lane::Lane,
    loads::{Arrivals, Visitors},
    neighbour::Neighbour,
    plan::{Mode, Plan},
    races::Races,
    record::{Kind, LaneState, State},
};
use crate::lab::LoadedLab;

/// A request that takes longer is stuck, as k6 has it.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Longest wait for profiles after the last lane: their names are resolved then.
const CAPTURES_WITHIN: Duration = Duration::from_secs(120);

/// Runs a race to its end, which it records.
pub fn run(races: &Arc<Races>, race: &Arc<Race>, plan: &Plan) {
    let outcome = conduct(races, race, plan);
    let lanes = || race.out(false).lanes.into_iter().map(|lane| lane.variant).collect::<Vec<_>>();
    let lanes = lanes().join(" and ");
    let (state, kind, reason, text) = match outcome {
        Ok(true) => (State::Finished, Kind::Finished, None, format!("{lanes} have run")),
        Ok(false) => (State::Stopped, Kind::Stopped, None, "the race was stopped".to_owned()),
        Err(reason) => (State::Failed, Kind::Failed, Some(reason.clone()), reason),
    };
    races.release(race);
    race.end(state, kind, reason, &text);
}

/// True if it ran to its end, false if it was stopped.
fn conduct(races: &Arc<Races>, race: &Arc<Race>, plan: &Plan) -> Result<bool, String> {
    let labs = &races.around.labs;
    let loaded = labs.get(race.lab).ok_or("the lab is gone")?;
    let http = Client::builder().timeout(TIMEOUT).no_proxy().build();
    let stage = Stage {
        races,
        race: race.clone(),
        loaded,
        plan,
        http: http.map_err(|e| e.to_string())?,
        seed: fastrand::u64(..),
        lanes: Rc::new([0, 1].map(|index| {
            let is_judged = plan.mode == Mode::Gate;
            let variant = &plan.lanes[index];
            Rc::new(Lane::new(index, loaded, variant, race.began, is_judged))
        })),
        neighbour: Rc::default(),
        captures: RefCell::default(),
        aborts: RefCell::default(),
    };
    let runtime = Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    LocalSet::new().block_on(&runtime, stage.run())
}

/// A race with what it needs on its thread.
pub(super) struct Stage<'a> {
    pub races: &'a Arc<Races>,
    pub race: Arc<Race>,
    pub loaded: &'a LoadedLab,
    pub plan: &'a Plan,
    pub http: Client,
    /// Seed of the visitors, the same for both lanes.
    seed: u64,
    pub lanes: Rc<[Rc<Lane>; 2]>,
    pub neighbour: Rc<Neighbour>,
    /// Profiles under way, on the ops runtime.
    captures: RefCell<Vec<JoinHandle<()>>>,
    /// Ends them early.
    aborts: RefCell<Vec<AbortHandle>>,
}

impl Stage<'_> {
    async fn run(&self) -> Result<bool, String> {
        self.begin_ticks();
        let (neighbour, http, base) =
            (self.neighbour.clone(), self.http.clone(), self.races.base_url());
        spawn_local(async move { neighbour.ask(&http, &base).await });
        let outcome = tokio::select! {
            biased;
            () = self.race.is_stopped() => Ok(false),
            outcome = self.all() => outcome.map(|()| true),
        };
        if !matches!(outcome, Ok(true)) {
            self.aborts.borrow().iter().for_each(AbortHandle::abort);
            for lane in self.lanes.iter() {
                self.close(lane, false).await?;
                if lane.state.get() == LaneState::Settling {
                    self.set_state(lane, LaneState::Waiting);
                }
            }
        }
        self.race.update(|out| out.neighbour = self.neighbour.out());
        outcome
    }

    async fn all(&self) -> Result<(), String> {
        self.prepare().await?;
        let [first, second] = &*self.lanes;
        if self.plan.takes_turns() {
            for lane in [first, second] {
                self.settle(&[lane]).await?;
                let ends = self.begin(lane, Some(lane.index));
                self.load(lane, ends).await;
                self.close(lane, true).await?;
                // Names are resolved then, which takes a core: no load for the other lane.
                self.wait_for_captures().await;
            }
        } else {
            self.settle(&[first, second]).await?;
            let ends = self.begin(first, None);
            self.mark_started(second);
            tokio::join!(self.load(first, ends), self.load(second, ends));
            for lane in [first, second] {
                self.close(lane, true).await?;
            }
            self.wait_for_captures().await;
        }
        Ok(())
    }

    async fn wait_for_captures(&self) {
        let all = join_all(self.captures.take());
        if timeout(CAPTURES_WITHIN, all).await.is_err() {
            self.race.note(None, Kind::Capture, "a profile was not ready in time");
        }
    }

    /// Starts a lane, and the profiles of it, or of both where both run. Returns its end.
    fn begin(&self, lane: &Rc<Lane>, profiled: Option<usize>) -> Instant {
        self.mark_started(lane);
        if self.plan.captures {
            let around = &self.races.around;
            let labels = around.labels.with(around.labels.of(None), "lab", self.race.lab);
            let labels = match profiled {
                Some(_) => around.labels.with(&labels, "variant", &lane.variant),
                None => labels,
            };
            let taking = captures::take_both(
                self.race.clone(),
                profiled,
                around.captures.clone(),
                labels,
                self.plan.seconds,
            );
            let taking = around.ops.spawn(taking);
            self.aborts.borrow_mut().push(taking.abort_handle());
            self.captures.borrow_mut().push(taking);
        }
        Instant::now() + Duration::from_secs(self.plan.seconds.into())
    }

    fn mark_started(&self, lane: &Lane) {
        let (now, at_ms) = (SystemTime::now(), self.race.at_ms());
        lane.started.set(Some(now));
        lane.log.borrow_mut().begin();
        lane.state.set(LaneState::Running);
        self.race.change_lane(lane.index, |out| {
            out.state = LaneState::Running;
            out.started = Some(rfc3339(now));
            out.started_ms = Some(at_ms);
        });
        let text = format!("{} starts: {}", lane.variant, self.plan.load);
        self.race.note(Some(lane.index), Kind::Started, text);
    }

    async fn load(&self, lane: &Rc<Lane>, ends: Instant) {
        let Plan { visitors, rate, grace, .. } = *self.plan;
        let under_way = match rate {
            Some(rate) => Arrivals { rate, users: visitors, ends }.run(lane).await,
            None => {
                let think = Duration::from_secs_f64(self.plan.think_ms / 1e3);
                Visitors { visitors, seed: self.seed, think, ends }.run(lane).await
            }
        };
        self.set_state(lane, LaneState::Ending);
        let text =
            format!("{} gets no more requests; its last answers have {grace} s", lane.variant);
        self.race.note(Some(lane.index), Kind::Ending, text);
        under_way.finish(Duration::from_secs(grace.into())).await;
    }

    pub fn set_state(&self, lane: &Lane, state: LaneState) {
        lane.state.set(state);
        self.race.change_lane(lane.index, |out| out.state = state);
    }
}

pub(super) fn rfc3339(time: SystemTime) -> String {
    humantime::format_rfc3339_nanos(time).to_string()
}
