//! Last polls that held an app worker for long. Short polls are never recorded here, so this costs
//! them nothing.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use super::{labels::Labels, request_id::Ids};

/// Shortest poll that counts as blocked. tokio's authors advise 10 to 100 µs between awaits; 10 ms
/// delays every other request of that worker, and no correct handler here polls that long.
pub const BLOCKED_FROM: Duration = Duration::from_millis(10);

/// Number of polls kept: a request that blocks a hundred times fills it.
pub const KEPT: usize = 100;

/// Poll that held a worker for `BLOCKED_FROM` or longer.
#[derive(Clone, Debug)]
pub struct BlockedPoll {
    pub started: SystemTime,
    pub route: String,
    pub labels: Labels,
    pub wall: Duration,
    pub cpu: Duration,
    pub switches: u64,
    pub ids: Ids,
}

/// The newest `KEPT` blocked polls.
#[derive(Default)]
pub struct BlockedPolls(Mutex<Recent>);

#[derive(Default)]
struct Recent {
    polls: VecDeque<BlockedPoll>,
    seen: u64,
}

impl BlockedPolls {
    fn recent(&self) -> MutexGuard<'_, Recent> {
        // A panic while the lock was held leaves whole entries.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn push(&self, poll: BlockedPoll) {
        let mut recent = self.recent();
        recent.seen += 1;
        if recent.polls.len() == KEPT {
            recent.polls.pop_front();
        }
        recent.polls.push_back(poll);
    }

    /// Returns the kept polls, newest first, and the count of all since the start.
    pub fn newest(&self) -> (Vec<BlockedPoll>, u64) {
        let recent = self.recent();
        (recent.polls.iter().rev().cloned().collect(), recent.seen)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;

    use super::*;

    #[test]
    fn the_newest_hundred_are_kept() {
        let blocked = BlockedPolls::default();
        for n in 0..=100 {
            blocked.push(BlockedPoll {
                started: SystemTime::UNIX_EPOCH,
                route: "/".to_owned(),
                labels: Labels::default(),
                wall: BLOCKED_FROM,
                cpu: Duration::ZERO,
                switches: n,
                ids: Ids::of(&HeaderMap::new(), None),
            });
        }
        let (polls, seen) = blocked.newest();
        assert_eq!((polls.len(), seen), (100, 101));
        let switches: Vec<_> = polls.iter().map(|poll| poll.switches).collect();
        assert_eq!(switches, (1..=100).rev().collect::<Vec<_>>());
    }
}
