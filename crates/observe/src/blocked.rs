//! The last polls that held a worker of the app for long. Short polls never come here, so keeping
//! these costs them nothing.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use super::{labels::Labels, request_id::Ids};

/// From here on a poll has blocked. tokio's authors advise 10 to 100 µs between awaits; 10 ms is a
/// delay that every other request of that worker feels, and that no honest poll here takes.
pub const BLOCKED_FROM: Duration = Duration::from_millis(10);

/// How many are kept: a request that blocks a hundred times leaves about as many.
pub const KEPT: usize = 100;

/// One poll of a request.
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

/// The newest `KEPT` of them.
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

    /// Newest first, and how many there were since the start.
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
