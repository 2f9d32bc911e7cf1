//! A Bloom filter over ids: rules out most ids that do not exist.
//!
//! It answers only for ids up to a watermark; a higher one, which any instance may have created by
//! now, always *may* exist. It is correct across instances, with or without Redis, if
//! 1. ids are handed out in increasing order and never again, and
//! 2. every set of ids was read while no insert was in flight: `upto` is then a bound below which
//!    nothing can appear any more, and `ids` holds everything that exists up to it.
//!
//! Deleted ids stay in it: they pass, and the database reports that they are gone.

use std::sync::{
    PoisonError, RwLock,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use fastbloom::BloomFilter;

/// Smallest capacity of a filter, in ids.
const LEAST_ROOM: usize = 10_000;

pub struct IdFilter {
    false_positives: f64,
    state: RwLock<State>,
    /// True if an id above the watermark was requested since the last `was_requested_above`.
    requested_above: AtomicBool,
}

struct State {
    filter: BloomFilter,
    holds: usize,
    room: usize,
    watermark: i64,
}

impl IdFilter {
    /// A filter that refuses nothing until it gets ids.
    pub fn new(false_positives: f64) -> Self {
        let state = State::with_room(false_positives, LEAST_ROOM).into();
        Self { false_positives, state, requested_above: AtomicBool::new(false) }
    }

    /// True if there can't be a row with this id.
    pub fn refuses(&self, id: i64) -> bool {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        if id > state.watermark {
            self.requested_above.store(true, Relaxed);
            return false;
        }
        !state.filter.contains(&id)
    }

    /// True if a higher watermark would be of use. Resets the flag.
    pub fn was_requested_above(&self) -> bool {
        self.requested_above.swap(false, Relaxed)
    }

    /// Highest id that it answers for.
    pub fn watermark(&self) -> i64 {
        self.state.read().unwrap_or_else(PoisonError::into_inner).watermark
    }

    /// Adds all ids above the watermark up to a new one. If they do not fit it adds none and
    /// returns false: then `replace` needs all ids.
    #[must_use]
    pub fn extend(&self, ids: &[i64], upto: i64) -> bool {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if state.holds + ids.len() > state.room {
            return false;
        }
        state.filter.insert_all(ids);
        state.holds += ids.len();
        state.watermark = state.watermark.max(upto);
        true
    }

    /// Starts again with all ids up to a watermark, and capacity for as many again.
    pub fn replace(&self, ids: &[i64], upto: i64) {
        let mut state = State::with_room(self.false_positives, LEAST_ROOM.max(2 * ids.len()));
        state.filter.insert_all(ids);
        state.holds = ids.len();
        state.watermark = upto;
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = state;
    }
}

impl State {
    fn with_room(false_positives: f64, room: usize) -> Self {
        let filter = BloomFilter::with_false_pos(false_positives).expected_items(room);
        Self { filter, holds: 0, room, watermark: i64::MIN }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Even ids from 2 on.
    fn evens(filter: &IdFilter, count: i64) {
        let ids: Vec<i64> = (1..=count).map(|n| 2 * n).collect();
        filter.replace(&ids, 2 * count);
    }

    fn refused_odds(filter: &IdFilter, count: i64) -> usize {
        (0..count).filter(|n| filter.refuses(2 * n + 1)).count()
    }

    #[test]
    fn what_exists_and_what_is_above_the_watermark_is_never_refused() {
        let filter = IdFilter::new(0.01);
        assert!(!filter.refuses(-1), "it refuses before it knows anything");
        evens(&filter, 50_000);
        assert!((1..=50_000).all(|n| !filter.refuses(2 * n)));
        assert!((100_001..200_000).all(|id| !filter.refuses(id)));
        assert!(filter.refuses(0) && filter.refuses(i64::MIN));
    }

    #[test]
    fn the_share_that_gets_through_is_the_one_asked_for() {
        for share in [0.001, 0.01, 0.1] {
            let filter = IdFilter::new(share);
            evens(&filter, 50_000);
            let passed = 50_000 - refused_odds(&filter, 50_000);
            assert!((passed as f64) < 2.0 * share * 50_000.0, "{share}: {passed}");
        }
    }

    #[test]
    fn a_full_filter_takes_nothing_in_until_it_was_replaced_by_a_larger_one() {
        let filter = IdFilter::new(0.01);
        evens(&filter, 6_000);
        assert!(filter.extend(&[20_000], 20_000));
        assert!(!filter.refuses(20_000) && filter.refuses(19_999));
        let more: Vec<i64> = (30_001..60_001).collect();
        assert!(!filter.extend(&more, 60_000));
        assert_eq!(filter.watermark(), 20_000);
        evens(&filter, 50_000);
        assert!(filter.extend(&more, 200_000));
    }
}
