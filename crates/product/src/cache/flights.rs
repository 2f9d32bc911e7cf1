//! Single flight: one load at a time for each key, within this process.
//!
//! A waiter takes the result of a load only if that load *began* after the waiter arrived. A load
//! that was under way may have read what a write has replaced since, and that write may have been
//! answered: its result is for earlier callers. So the next waiter looks again, and all who wait by
//! then share its result. Any number at once cost two loads at most, even without a cache.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Instant,
};

use tracing::Instrument;

use super::Answer;
use crate::error::Error;
use observe::{cost::Counter, request_cost, traces};

type Loaded = Result<Answer, Error>;

#[derive(Default)]
pub(super) struct Flights(Mutex<HashMap<String, Arc<Flight>>>);

#[derive(Default)]
struct Flight {
    begun: AtomicU64,
    /// Number of the load that ended last, and its result. Locked while one is under way.
    last: tokio::sync::Mutex<Option<(u64, Loaded)>>,
}

impl Flights {
    /// Result of `work`, or of another caller's that began later than this call. `waits` is called
    /// if another load has to end first.
    pub async fn run(
        &self,
        key: &str,
        waits: impl FnOnce(),
        work: impl Future<Output = Loaded>,
    ) -> Loaded {
        let seat = self.take_seat(key);
        let flight = &seat.flight;
        let arrived = flight.begun.load(SeqCst);
        let mut last = match flight.last.try_lock() {
            Ok(last) => last,
            Err(_) => {
                waits();
                let started = Instant::now();
                let last =
                    flight.last.lock().instrument(traces::waiting("single-flight wait")).await;
                request_cost::add_time(Counter::LockWaitMs, started.elapsed());
                last
            }
        };
        if let Some((number, loaded)) = &*last
            && *number > arrived
        {
            return loaded.clone();
        }
        let number = flight.begun.fetch_add(1, SeqCst) + 1;
        let loaded = work.await;
        *last = Some((number, loaded.clone()));
        loaded
    }

    fn take_seat(&self, key: &str) -> Seat<'_> {
        let flight = self.lock().entry(key.to_owned()).or_default().clone();
        Seat { flights: self, flight, key: key.to_owned() }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Flight>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps a flight in the list while a caller uses it, also if its client disconnects.
struct Seat<'a> {
    flights: &'a Flights,
    flight: Arc<Flight>,
    key: String,
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut flights = self.flights.lock();
        // One is the list's, one is this seat's; seats are taken under the same lock.
        if Arc::strong_count(&self.flight) == 2 {
            flights.remove(&self.key);
        }
    }
}
