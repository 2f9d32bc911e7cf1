//! Victims that never come back, those that do once what waits is dropped, and their number. Here and
//! not beside the server, because the process counts all throw-away runtimes together.

use std::{
    sync::{
        Arc, Barrier, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    time::Duration,
};

use super::{Census, Lost, MOST_RUNTIMES, ThrowAway, census};

const LONG: Duration = Duration::from_secs(30);

/// One test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn run(test: impl Future<Output = ()>) {
    let _alone = alone();
    tokio::runtime::Runtime::new().unwrap().block_on(test);
}

async fn eventually(condition: impl Fn() -> bool) {
    let holds = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LONG, holds).await.unwrap();
}

/// Threads that the test below has left for ever.
static STUCK: AtomicUsize = AtomicUsize::new(0);

/// Waits until every other thread of a throw-away runtime has ended.
async fn all_others_ended() {
    let left = || Census { runtimes: 0, in_use: 0, stuck: STUCK.load(SeqCst) };
    eventually(|| census() == left()).await;
}

/// Two locks, taken in opposite order by two threads that both have their first.
struct Deadlock {
    locks: [Mutex<()>; 2],
    both: Barrier,
    at_the_second: AtomicUsize,
}

impl Deadlock {
    async fn victim(self: Arc<Self>, first: usize) {
        let _first = self.locks[first].lock().unwrap();
        self.both.wait();
        self.at_the_second.fetch_add(1, SeqCst);
        let _second = self.locks[1 - first].lock().unwrap();
    }
}

#[test]
fn two_threads_that_deadlock_stay_and_hold_nothing_that_others_need() {
    run(async {
        all_others_ended().await;
        let lost = ThrowAway::start("deadlock", 2).unwrap();
        let deadlock = Arc::new(Deadlock {
            locks: [Mutex::new(()), Mutex::new(())],
            both: Barrier::new(2),
            at_the_second: AtomicUsize::new(0),
        });
        let are_stuck = eventually(|| deadlock.at_the_second.load(SeqCst) == 2);
        let deadline = Duration::from_secs(1);
        let (one, other, ()) = tokio::join!(
            lost.run(deadline, deadlock.clone().victim(0)),
            lost.run(deadline, deadlock.clone().victim(1)),
            are_stuck,
        );
        assert!(matches!(one, Err(Lost::Expired(_))), "{one:?}");
        assert!(matches!(other, Err(Lost::Expired(_))), "{other:?}");
        // Both workers are held: a third job finds none, and the heart stands still.
        let beats = lost.heartbeats();
        let third = lost.run(Duration::from_millis(100), async {}).await;
        assert!(matches!(third, Err(Lost::Expired(_))), "{third:?}");
        assert_eq!((lost.heartbeats(), lost.jobs_done()), (beats, 0));

        drop(lost);
        STUCK.store(2, SeqCst);
        all_others_ended().await;

        let fresh = ThrowAway::start("deadlock", 2).unwrap();
        assert_eq!(fresh.run(LONG, async { 7 }).await.unwrap(), 7);
        eventually(|| fresh.heartbeats() >= 3).await;
        assert_eq!(fresh.jobs_done(), 1);
    });
}

#[test]
fn a_thread_that_waits_for_a_waiting_job_comes_back() {
    run(async {
        all_others_ended().await;
        let lost = ThrowAway::start("guard", 1).unwrap();
        // A lock of the simplest kind: who receives is blocked for as long as the other end is kept.
        let (kept, blocked) = mpsc::channel::<()>();
        let (waits, is_stuck) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (marks_wait, marks_stuck) = (waits.clone(), is_stuck.clone());
        let keeper = lost.run(Duration::from_secs(1), async move {
            let _kept = kept;
            marks_wait.store(1, SeqCst);
            std::future::pending::<()>().await;
        });
        let victim = async {
            eventually(|| waits.load(SeqCst) == 1).await;
            let receives = async move {
                marks_stuck.store(1, SeqCst);
                blocked.recv()
            };
            lost.run(Duration::from_millis(500), receives).await
        };
        let (keeper, victim) = tokio::join!(keeper, victim);
        assert!(matches!(keeper, Err(Lost::Expired(_))), "{keeper:?}");
        assert!(matches!(victim, Err(Lost::Expired(_))), "{victim:?}");
        assert_eq!((is_stuck.load(SeqCst), lost.jobs_done()), (1, 0));
        drop(lost);
        all_others_ended().await;
    });
}

#[test]
fn a_runtime_whose_work_ends_leaves_no_thread() {
    run(async {
        all_others_ended().await;
        let used = ThrowAway::start("well", 2).unwrap();
        let panicked = used.run(LONG, async { assert_eq!(1, 2, "as it must") }).await;
        assert!(matches!(panicked, Err(Lost::Panicked(_))), "{panicked:?}");
        used.run(LONG, async { tokio::task::spawn_blocking(|| {}).await.unwrap() }).await.unwrap();
        assert_eq!(used.jobs_done(), 1);
        assert_eq!(census().runtimes, 1);
        // Two workers and one of the blocking pool.
        eventually(|| census().in_use == 3).await;
        drop(used);
        all_others_ended().await;
    });
}

#[test]
fn there_are_never_more_than_a_few() {
    run(async {
        all_others_ended().await;
        let used: Vec<_> =
            (0..MOST_RUNTIMES).map(|_| ThrowAway::start("many", 1).unwrap()).collect();
        assert!(matches!(ThrowAway::start("many", 1), Err(Lost::TooMany)));
        drop(used);
        drop(ThrowAway::start("many", 1).unwrap());
    });
}
