//! The races of this process: one at a time, and the last one of each lab.

use std::{
    collections::VecDeque,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicUsize},
    thread,
    time::{Duration, Instant},
};

use observe::{labels::RouteLabels, live::Live, profiles::Captures, traces::store::SpanStore};
use tokio::{runtime::Handle, sync::watch};

use super::{
    book::Race,
    conductor,
    plan::Plan,
    record::{Kind, RaceOut, State},
};
use crate::lab::{Labs, LoadedLab};

/// Time for which access tokens of virtual users are used again: the shortest that a server is likely
/// to give them.
const TOKENS_LAST: Duration = Duration::from_secs(300);

/// Labs whose last race is kept. One takes some two megabytes.
const MOST_KEPT: usize = 10;

/// Parts of the server that a race uses.
pub struct Surroundings {
    /// Address that the app listens on.
    pub app: SocketAddr,
    pub labs: Arc<Labs>,
    pub live: Live,
    pub traces: SpanStore,
    pub captures: Arc<Captures>,
    pub labels: Arc<RouteLabels>,
    /// Runtime on which profiles are taken.
    pub ops: Handle,
}

/// The newest race, and whether it runs.
#[derive(Clone, Default)]
pub struct Scene {
    pub race: Option<Arc<Race>>,
    pub is_running: bool,
    /// True once the server stops: there will be no race any more.
    pub is_closed: bool,
}

pub struct Races {
    pub(super) around: Surroundings,
    scene: watch::Sender<Scene>,
    kept: Mutex<Kept>,
    followers: Arc<AtomicUsize>,
}

#[derive(Default)]
struct Kept {
    last_id: u64,
    /// Last race of each lab, the newest at the end.
    last: VecDeque<Arc<Race>>,
    /// Access tokens of virtual users, and their age.
    tokens: Option<(Instant, Vec<String>)>,
}

/// Reason for which no race can be started.
#[derive(Debug, Clone, thiserror::Error)]
pub enum NotNow {
    #[error(
        "a race of {lab} runs ({lanes}); wait for its end, or stop it with DELETE /labs/{lab}/race"
    )]
    Busy { lab: &'static str, lanes: String },
    #[error("the server stops")]
    Closed,
    #[error("the generator's thread could not be started: {0}")]
    NoThread(String),
}

impl Races {
    pub fn new(around: Surroundings) -> Arc<Self> {
        let scene = watch::channel(Scene::default()).0;
        Arc::new(Self { around, scene, kept: Mutex::default(), followers: Arc::default() })
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // A panic while the lock was held leaves fields that are whole.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn scene(&self) -> watch::Receiver<Scene> {
        self.scene.subscribe()
    }

    pub(super) fn followers(&self) -> &Arc<AtomicUsize> {
        &self.followers
    }

    /// The race that runs now, of whichever lab.
    pub fn current(&self) -> Option<Arc<Race>> {
        let scene = self.scene.borrow();
        scene.race.clone().filter(|_| scene.is_running)
    }

    /// The running race of a lab, or its last one.
    pub fn of(&self, lab: &str) -> Option<Arc<Race>> {
        self.kept().last.iter().find(|race| race.lab == lab).cloned()
    }

    /// Starts a race on a thread of its own.
    ///
    /// # Errors
    /// Another race runs, or the server stops.
    pub fn start(self: &Arc<Self>, loaded: &LoadedLab, plan: Plan) -> Result<Arc<Race>, NotNow> {
        let mut kept = self.kept();
        if self.scene.borrow().is_closed {
            return Err(NotNow::Closed);
        }
        if let Some(race) = self.current() {
            return Err(busy(&race));
        }
        kept.last_id += 1;
        let race = Race::new(RaceOut::first(kept.last_id, loaded, &plan, &self.around.live));
        self.scene.send_modify(|scene| {
            (scene.race, scene.is_running) = (Some(race.clone()), true);
        });
        let running = Held { races: self.clone(), race: race.clone() };
        let run = move || conductor::run(&running.races, &running.race, &plan);
        // Not a thread of the app: its name keeps it out of the app's profiles.
        if let Err(error) = thread::Builder::new().name("race".to_owned()).spawn(run) {
            return Err(NotNow::NoThread(error.to_string()));
        }
        kept.last.retain(|other| other.lab != race.lab);
        kept.last.push_back(race.clone());
        if kept.last.len() > MOST_KEPT {
            kept.last.pop_front();
        }
        Ok(race)
    }

    /// Stops the race that runs, and allows no other. Followers get its end.
    pub fn close(&self) {
        self.scene.send_modify(|scene| scene.is_closed = true);
        if let Some(race) = self.current() {
            race.stop();
        }
    }

    /// Makes room for the next race.
    pub(super) fn release(&self, race: &Race) {
        self.scene.send_modify(|scene| {
            if scene.race.as_ref().is_some_and(|newest| newest.id == race.id) {
                scene.is_running = false;
            }
        });
    }

    /// Base URL of the app for requests from this process, which never leave the machine.
    pub(super) fn base_url(&self) -> String {
        let mut addr = self.around.app;
        if addr.ip().is_unspecified() {
            addr.set_ip(match addr.ip() {
                IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            });
        }
        format!("http://{addr}")
    }

    /// Tokens of an earlier race, if they are fresh and enough.
    pub(super) fn tokens(&self, users: usize) -> Option<Vec<String>> {
        let kept = self.kept();
        let (taken, tokens) = kept.tokens.as_ref()?;
        (taken.elapsed() < TOKENS_LAST && tokens.len() >= users).then(|| tokens.clone())
    }

    pub(super) fn keep_tokens(&self, tokens: Vec<String>) {
        self.kept().tokens = (!tokens.is_empty()).then(|| (Instant::now(), tokens));
    }
}

fn busy(race: &Race) -> NotNow {
    let out = race.out(false);
    let variants = out.lanes.iter().map(|lane| lane.variant.as_str()).collect::<Vec<_>>();
    let lanes = format!("{}, {}", variants.join(" and "), out.mode.name());
    NotNow::Busy { lab: race.lab, lanes }
}

/// Place of the running race, free again when this is dropped: also after a panic.
struct Held {
    races: Arc<Races>,
    race: Arc<Race>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.races.release(&self.race);
        let reason = "the generator ended unexpectedly; the server's log has more".to_owned();
        // Changes nothing if it has ended as it should.
        self.race.end(State::Failed, Kind::Failed, Some(reason), "the race failed");
    }
}
