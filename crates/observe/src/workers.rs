//! Workers of the app's runtime, each with a slot that names the request it polls now. A slot is a
//! few atomics that the worker writes, so a reader on another runtime needs no worker to answer.

use std::{
    cell::RefCell,
    sync::{
        Arc, LazyLock,
        atomic::{
            AtomicU32, AtomicU64,
            Ordering::{Acquire, Relaxed, Release},
            fence,
        },
    },
    time::{Duration, Instant},
};

use arrayvec::ArrayString;

/// Trace id in hexadecimal digits.
type Trace = ArrayString<32>;

/// Digits of a trace id that fit into a word.
const OF_WORD: usize = 8;
const WORDS: usize = 4;

/// Moment from which slots count.
static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);

thread_local! {
    static MINE: RefCell<Option<Mine>> = const { RefCell::new(None) };
}

/// Slot of the calling thread.
struct Mine {
    workers: Arc<Workers>,
    number: usize,
}

/// Slots of one runtime's workers.
#[derive(Default)]
pub struct Workers(Box<[Slot]>);

/// Poll under way. `version` is odd while the worker writes, and grows by two with each poll. Each slot
/// has a cache line of its own: workers write at the same time.
#[derive(Default)]
#[repr(align(64))]
struct Slot {
    version: AtomicU32,
    route: AtomicU32,
    /// Start of the poll in nanoseconds since `BEGAN`; 0 without a poll.
    since: AtomicU64,
    trace: [AtomicU64; WORDS],
}

/// Request that a worker polls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Polled {
    /// Number of its route.
    pub route: u32,
    pub trace: Trace,
    /// Time since the poll began.
    pub held: Duration,
}

impl Workers {
    pub fn new(workers: usize) -> Arc<Self> {
        LazyLock::force(&BEGAN);
        Arc::new(Self((0..workers).map(|_| Slot::default()).collect()))
    }

    /// Takes a slot for the calling thread: for the runtime's `on_thread_start` hook. `number` is the
    /// worker's, from 0; a thread beyond the last slot is no worker.
    pub fn join(self: &Arc<Self>, number: usize) {
        if number < self.0.len() {
            MINE.set(Some(Mine { workers: self.clone(), number }));
        }
    }

    /// What each worker polls, in the order of their numbers; None if it polls no request.
    pub fn polled(&self) -> Vec<Option<Polled>> {
        self.0.iter().map(Slot::read).collect()
    }
}

impl Slot {
    fn write(&self, route: u32, trace: &Trace, started: Instant) {
        let version = self.version.load(Relaxed);
        self.version.store(version.wrapping_add(1), Relaxed);
        fence(Release);
        self.route.store(route, Relaxed);
        for (word, digits) in self.trace.iter().zip(trace.as_bytes().chunks_exact(OF_WORD)) {
            let digits = digits.try_into().unwrap_or_default();
            word.store(u64::from_ne_bytes(digits), Relaxed);
        }
        self.since.store(nanos(started.saturating_duration_since(*BEGAN)).max(1), Relaxed);
        self.version.store(version.wrapping_add(2), Release);
    }

    /// Reads a whole poll. The worker writes for nanoseconds, so a second look finds it done.
    fn read(&self) -> Option<Polled> {
        loop {
            let before = self.version.load(Acquire);
            let route = self.route.load(Relaxed);
            let since = self.since.load(Relaxed);
            let words = self.trace.each_ref().map(|word| word.load(Relaxed));
            fence(Acquire);
            if before.is_multiple_of(2) && before == self.version.load(Relaxed) {
                if since == 0 {
                    return None;
                }
                let held = BEGAN.elapsed().saturating_sub(Duration::from_nanos(since));
                return Some(Polled { route, trace: digits(words), held });
            }
            std::hint::spin_loop();
        }
    }
}

fn digits(words: [u64; WORDS]) -> Trace {
    let mut trace = Trace::new();
    for word in words {
        let digits = word.to_ne_bytes();
        // They were written from a text of ASCII that fits.
        trace.push_str(str::from_utf8(&digits).unwrap_or_default());
    }
    trace
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Poll that the calling worker's slot shows until this is dropped.
pub struct Polling(bool);

/// Shows a poll in the slot of the calling thread, if it is a worker. A poll within another one
/// leaves the outer one there.
pub fn polls(route: u32, trace: &Trace, started: Instant) -> Polling {
    let is_shown = with_slot(|slot| {
        let is_free = slot.since.load(Relaxed) == 0;
        if is_free {
            slot.write(route, trace, started);
        }
        is_free
    });
    Polling(is_shown.unwrap_or(false))
}

impl Drop for Polling {
    fn drop(&mut self) {
        if self.0 {
            with_slot(|slot| slot.since.store(0, Relaxed));
        }
    }
}

/// Calls `f` with the slot of the calling thread; None if it is no worker, or is ending.
fn with_slot<T>(f: impl FnOnce(&Slot) -> T) -> Option<T> {
    let with = |mine: &RefCell<Option<Mine>>| {
        let mine = mine.borrow();
        let Mine { workers, number } = mine.as_ref()?;
        workers.0.get(*number).map(f)
    };
    MINE.try_with(with).ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_names_the_outer_poll_until_it_ends() {
        let workers = Workers::new(2);
        let trace = Trace::from("0af7651916cd43dd8448eb211c80319c").unwrap();
        let seen = std::thread::spawn({
            let workers = workers.clone();
            move || {
                workers.join(1);
                let outer = polls(7, &trace, Instant::now());
                drop(polls(8, &trace, Instant::now()));
                let during = workers.polled();
                drop(outer);
                (during, workers.polled())
            }
        });
        let (during, after) = seen.join().unwrap();
        assert_eq!(during[0], None);
        let polled = during[1].unwrap();
        assert_eq!((polled.route, polled.trace), (7, trace));
        assert_eq!(after, [None, None]);
    }

    #[test]
    fn a_thread_that_is_no_worker_has_no_slot() {
        let workers = Workers::new(1);
        workers.join(1);
        let _polling = polls(1, &Trace::new(), Instant::now());
        assert_eq!(workers.polled(), [None]);
    }

    #[test]
    fn a_reader_never_sees_half_of_a_poll() {
        let workers = Workers::new(1);
        let traces = ["a", "b"].map(|digit| Trace::from(&digit.repeat(32)).unwrap());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                workers.join(0);
                for n in 0..20_000_u32 {
                    let trace = &traces[n as usize % 2];
                    drop(polls(n % 2, trace, Instant::now()));
                }
            });
            for _ in 0..20_000 {
                if let Some(Polled { route, trace, .. }) = workers.polled()[0] {
                    assert_eq!(trace, traces[route as usize]);
                }
            }
        });
    }
}
