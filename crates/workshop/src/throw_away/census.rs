//! Threads of all throw-away runtimes in this process: those in use, and those that can't end.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
};

use metrics::gauge;

use super::{Lost, MOST_RUNTIMES, MOST_STUCK};
use crate::metrics::THROW_AWAY_THREADS;

/// Threads of every runtime that has some alive.
static RUNTIMES: Mutex<Vec<Arc<Threads>>> = Mutex::new(Vec::new());

/// Threads of one runtime.
#[derive(Default)]
pub struct Threads {
    alive: AtomicUsize,
    pub is_thrown_away: AtomicBool,
}

impl Threads {
    pub fn begins(&self) {
        self.alive.fetch_add(1, SeqCst);
    }

    pub fn ends(&self) {
        self.alive.fetch_sub(1, SeqCst);
    }
}

/// Threads of throw-away runtimes in this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Runtimes in use, and their threads.
    pub runtimes: usize,
    pub in_use: usize,
    /// Threads that outlive their runtime: they can't end, or not yet.
    pub stuck: usize,
}

/// Counts the threads, and forgets runtimes whose threads have all ended.
pub fn census() -> Census {
    count(&mut runtimes())
}

/// Sets the metrics. Call it before each scrape.
pub fn report() {
    let Census { in_use, stuck, .. } = census();
    for (state, threads) in [("in_use", in_use), ("stuck", stuck)] {
        gauge!(THROW_AWAY_THREADS, "state" => state).set(threads as f64);
    }
}

fn runtimes() -> MutexGuard<'static, Vec<Arc<Threads>>> {
    RUNTIMES.lock().unwrap_or_else(PoisonError::into_inner)
}

fn count(runtimes: &mut Vec<Arc<Threads>>) -> Census {
    let mut census = Census::default();
    runtimes.retain(|threads| {
        let alive = threads.alive.load(SeqCst);
        if threads.is_thrown_away.load(SeqCst) {
            census.stuck += alive;
            return alive > 0;
        }
        census.runtimes += 1;
        census.in_use += alive;
        true
    });
    census
}

/// Takes a place among the runtimes.
pub fn register() -> Result<Arc<Threads>, Lost> {
    let mut runtimes = runtimes();
    let census = count(&mut runtimes);
    if census.stuck >= MOST_STUCK {
        return Err(Lost::Stuck(census.stuck));
    }
    if census.runtimes >= MOST_RUNTIMES {
        return Err(Lost::TooMany);
    }
    let threads = Arc::new(Threads::default());
    runtimes.push(threads.clone());
    Ok(threads)
}
