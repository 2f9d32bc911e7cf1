//! The two loads: visitors who think between requests, and requests that arrive at a rate. Both are
//! tasks of the generator's one thread.

use std::{
    cell::RefCell,
    collections::VecDeque,
    rc::Rc,
    time::{Duration, Instant},
};

use fastrand::Rng;
use tokio::{
    task::JoinSet,
    time::{sleep_until, timeout},
};

use super::lane::Lane;

/// Visitors. Each lane of a race has the same seed, so its visitors come at the same times and think
/// for as long.
#[derive(Clone, Copy)]
pub struct Visitors {
    pub visitors: u32,
    pub seed: u64,
    pub think: Duration,
    pub ends: Instant,
}

/// Requests at a rate, as k6's constant-arrival-rate sends them.
#[derive(Clone, Copy)]
pub struct Arrivals {
    /// Requests per second.
    pub rate: u32,
    pub users: u32,
    pub ends: Instant,
}

/// Requests under way. Dropping it gives them up.
pub struct UnderWay(JoinSet<()>);

impl Visitors {
    /// Sends until the end, and returns the requests that are under way then.
    pub async fn run(self, lane: &Rc<Lane>) -> UnderWay {
        let mut visitors = JoinSet::new();
        for visitor in 0..self.visitors {
            let lane = lane.clone();
            visitors.spawn_local(async move { self.visit(&lane, visitor).await });
        }
        sleep_until(self.ends.into()).await;
        UnderWay(visitors)
    }

    async fn visit(self, lane: &Lane, visitor: u32) {
        let mut rng = Rng::with_seed(self.seed.wrapping_add(u64::from(visitor)));
        // Their first requests are spread over one think time.
        let mut next = Instant::now() + self.think.mul_f64(rng.f64());
        while next < self.ends {
            sleep_until(next.into()).await;
            lane.ask(visitor).await;
            next = Instant::now() + self.think.mul_f64(0.5 + rng.f64());
        }
    }
}

impl Arrivals {
    /// Sends until the end, and returns the requests that are under way then. A request that finds no
    /// free user is dropped. The user who has been free for longest comes first.
    pub async fn run(self, lane: &Rc<Lane>) -> UnderWay {
        let free: Rc<RefCell<VecDeque<u32>>> = Rc::new(RefCell::new((0..self.users).collect()));
        let (began, mut requests) = (Instant::now(), JoinSet::new());
        let every = Duration::from_secs(1) / self.rate.max(1);
        for number in 0.. {
            let due = began + every * number;
            if due >= self.ends {
                break;
            }
            sleep_until(due.into()).await;
            // Those that have ended, or the set would hold all of them.
            while requests.try_join_next().is_some() {}
            let Some(user) = free.borrow_mut().pop_front() else {
                lane.drop_one();
                continue;
            };
            let (lane, free) = (lane.clone(), free.clone());
            requests.spawn_local(async move {
                lane.ask(user).await;
                free.borrow_mut().push_back(user);
            });
        }
        sleep_until(self.ends.into()).await;
        UnderWay(requests)
    }
}

impl UnderWay {
    /// Waits for the answers, at most for `grace`, and gives up the others.
    pub async fn finish(mut self, grace: Duration) {
        let all = async { while self.0.join_next().await.is_some() {} };
        // What is not answered by then is given up below.
        let _ = timeout(grace, all).await;
        self.0.shutdown().await;
    }
}
