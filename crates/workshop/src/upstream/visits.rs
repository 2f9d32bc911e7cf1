//! Visits to the upstream. A visit is one request to the app with all the calls that it makes here:
//! they bring the same request id, however often a call is repeated.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

/// Visits that are remembered: far more than are under way at once.
const REMEMBERED: usize = 10_000;

/// Visits of one run, in the order of their first calls.
#[derive(Default)]
pub struct Visits {
    begun: u64,
    /// Remembered visits by their request id: number, and calls so far.
    recent: HashMap<Arc<str>, (u64, u64)>,
    oldest_first: VecDeque<Arc<str>>,
}

/// A call of a visit. Both numbers begin with 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    pub visit: u64,
    /// Number among the calls of its visit.
    pub number: u64,
}

impl Visits {
    /// Counts a call. One without a request id is a visit of its own.
    pub fn call(&mut self, request_id: Option<&str>) -> Call {
        let known = request_id.and_then(|id| self.recent.get_mut(id));
        if let Some((visit, calls)) = known {
            *calls += 1;
            return Call { visit: *visit, number: *calls - 1 };
        }
        let visit = self.begun;
        self.begun += 1;
        if let Some(id) = request_id {
            self.remember(id.into(), visit);
        }
        Call { visit, number: 0 }
    }

    fn remember(&mut self, id: Arc<str>, visit: u64) {
        if self.oldest_first.len() == REMEMBERED
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.recent.remove(&oldest);
        }
        self.oldest_first.push_back(id.clone());
        self.recent.insert(id, (visit, 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_with_one_request_id_are_one_visit() {
        let mut visits = Visits::default();
        let mut call = |id| {
            let Call { visit, number } = visits.call(id);
            (visit, number)
        };
        assert_eq!([call(Some("a")), call(Some("b")), call(Some("a"))], [(0, 0), (1, 0), (0, 1)]);
        assert_eq!([call(None), call(None), call(Some("a"))], [(2, 0), (3, 0), (0, 2)]);
    }

    #[test]
    fn old_visits_are_forgotten() {
        let mut visits = Visits::default();
        for id in 0..=REMEMBERED {
            visits.call(Some(&id.to_string()));
        }
        assert_eq!((visits.recent.len(), visits.oldest_first.len()), (REMEMBERED, REMEMBERED));
        assert_eq!(visits.call(Some("1")), Call { visit: 1, number: 1 });
        assert_eq!(visits.call(Some("0")), Call { visit: REMEMBERED as u64 + 1, number: 0 });
    }
}
