//! Ticks of a race, four a second. They are made on the generator's thread from atomics of the app, so
//! they come while every worker of the app is held.

use std::{rc::Rc, time::Duration};

use tokio::{
    task::spawn_local,
    time::{MissedTickBehavior, interval},
};

use super::{
    book::Race,
    conductor::Stage,
    lane::Lane,
    neighbour::Neighbour,
    record::{LaneState, Tick},
};

const TICK_EVERY: Duration = Duration::from_millis(250);
/// Ticks between two updates of the record's own figures.
const UPDATED_EVERY: u64 = 4;

impl Stage<'_> {
    pub(super) fn begin_ticks(&self) {
        let (race, lanes, neighbour) =
            (self.race.clone(), self.lanes.clone(), self.neighbour.clone());
        let live = self.races.around.live.clone();
        spawn_local(async move {
            let mut every = interval(TICK_EVERY);
            every.set_missed_tick_behavior(MissedTickBehavior::Skip);
            loop {
                every.tick().await;
                race.tick(|n| {
                    if n % UPDATED_EVERY == 0 {
                        update(&race, &lanes, &neighbour);
                    }
                    Tick {
                        n,
                        at_ms: race.at_ms(),
                        lanes: lanes
                            .iter()
                            .map(|lane| lane.tick(live.of_route(&lane.route).into()))
                            .collect(),
                        workers: live.workers(),
                        neighbour: neighbour.now(),
                    }
                });
            }
        });
    }
}

/// Brings the figures of the record up to date, for clients that come later.
fn update(race: &Race, lanes: &[Rc<Lane>; 2], neighbour: &Neighbour) {
    race.update(|out| {
        out.neighbour = neighbour.out();
        for (lane, out) in lanes.iter().zip(&mut out.lanes) {
            if lane.state.get() != LaneState::Ended {
                let log = lane.log.borrow();
                out.requests = log.requests().clone();
                (out.latency, out.slowest) = (log.latency(), log.slowest());
            }
        }
    });
}
