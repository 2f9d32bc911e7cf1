//! Requests of one route that are in flight. Whoever looks reads their counters as they are now.
//!
//! The lock is held for a push, a removal or a copy of pointers, never while a handler runs: a held
//! worker can't keep a reader waiting.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use crate::{cost::Cost, request_id::Ids};

/// Request that is being answered.
pub trait Running: Send + Sync {
    fn started(&self) -> Instant;
    fn ids(&self) -> &Ids;
    /// Its cost so far.
    fn cost(&self) -> Cost;
}

/// Requests in flight.
#[derive(Default)]
pub struct InFlight(Mutex<Places>);

#[derive(Default)]
struct Places {
    taken: Vec<Option<Arc<dyn Running>>>,
    free: Vec<usize>,
}

/// Place of a request, from which `leave` removes it.
#[derive(Clone, Copy, Debug)]
pub struct Place(usize);

impl InFlight {
    fn places(&self) -> MutexGuard<'_, Places> {
        // A panic while the lock was held leaves whole entries.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn enter(&self, request: Arc<dyn Running>) -> Place {
        let mut places = self.places();
        let place = match places.free.pop() {
            Some(place) => place,
            None => {
                places.taken.push(None);
                places.taken.len() - 1
            }
        };
        if let Some(taken) = places.taken.get_mut(place) {
            *taken = Some(request);
        }
        Place(place)
    }

    pub fn leave(&self, Place(place): Place) {
        let mut places = self.places();
        let left = places.taken.get_mut(place).and_then(Option::take);
        if left.is_some() {
            places.free.push(place);
        }
        drop(places);
        // Freed without the lock.
        drop(left);
    }

    /// The requests, oldest first.
    pub fn all(&self) -> Vec<Arc<dyn Running>> {
        let mut all: Vec<_> = self.places().taken.iter().flatten().cloned().collect();
        all.sort_by_key(|request| request.started());
        all
    }

    pub fn count(&self) -> usize {
        let places = self.places();
        places.taken.len() - places.free.len()
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;

    use super::*;

    struct Request(Instant, Ids);

    impl Running for Request {
        fn started(&self) -> Instant {
            self.0
        }

        fn ids(&self) -> &Ids {
            &self.1
        }

        fn cost(&self) -> Cost {
            Cost::default()
        }
    }

    #[test]
    fn those_in_flight_are_listed_by_age_and_their_places_are_used_again() {
        let in_flight = InFlight::default();
        let enter = || {
            let request = Arc::new(Request(Instant::now(), Ids::of(&HeaderMap::new(), None)));
            (in_flight.enter(request.clone()), request)
        };
        let ids = |all: Vec<Arc<dyn Running>>| -> Vec<Ids> {
            all.iter().map(|request| request.ids().clone()).collect()
        };
        let (first, _) = enter();
        let (_, second) = enter();
        in_flight.leave(first);
        in_flight.leave(first);
        let (_, third) = enter();
        assert_eq!(ids(in_flight.all()), [second.1.clone(), third.1.clone()]);
        assert_eq!((in_flight.count(), in_flight.places().taken.len()), (2, 2));
    }
}
