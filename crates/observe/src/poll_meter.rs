//! Meters one poll: wall time always, CPU time and context switches only when the poll was long.
//!
//! Reading the thread's usage costs 0.2 to 0.6 µs, the clock 0.02 µs; a short poll can't afford two
//! readings.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use super::{allocated, cost::PollCost};

/// Shortest poll that is worth a reading: 0.6 µs of 250 µs is 0.24 %. A shorter block delays other
/// requests by less than a person notices.
pub const LONG_POLL: Duration = Duration::from_micros(250);

#[derive(Clone, Copy)]
struct Baseline {
    at: Instant,
    usage: ThreadUsage,
    /// Short polls on this thread since `at`.
    short_polls: Duration,
}

thread_local! {
    static BASELINE: Cell<Option<Baseline>> = const { Cell::new(None) };
}

/// Drops the baseline, for the runtime's `on_thread_park` hook: parking is no request's cost.
pub fn thread_parks() {
    BASELINE.set(None);
}

/// Meter of one poll. Each thread keeps its last reading as a baseline:
///   1. At the start of a poll the baseline is renewed if it is older than `LONG_POLL`, or if the
///      thread has parked since: parking is a switch, and it isn't the request's.
///   2. A poll shorter than `LONG_POLL` reads nothing more. It counts as all CPU and no switch: its
///      time is wrong by its own length at most, and a switch in it falls to the next long poll.
///   3. A longer poll reads once more, and that reading is the next baseline. Its CPU time is the
///      difference less the short polls in between; its switches are the difference.
///
/// A busy thread thus reads at most twice in `LONG_POLL`, an idle one once for each wake-up.
pub struct PollMeter {
    started: Instant,
    baseline: Baseline,
    /// Bytes that this thread had allocated before.
    allocated: u64,
}

impl PollMeter {
    pub fn start() -> Self {
        let started = Instant::now();
        let baseline = match BASELINE.get() {
            Some(baseline) if started.duration_since(baseline.at) < LONG_POLL => baseline,
            _ => Baseline { at: started, usage: ThreadUsage::now(), short_polls: Duration::ZERO },
        };
        Self { started, baseline, allocated: allocated::by_this_thread() }
    }

    /// Meters a thread that waited before: that wait is nobody's cost.
    pub fn of_idle_thread() -> Self {
        thread_parks();
        Self::start()
    }

    pub fn started(&self) -> Instant {
        self.started
    }

    pub fn stop(self) -> PollCost {
        let now = Instant::now();
        let wall = now.duration_since(self.started);
        let allocated = allocated::by_this_thread().saturating_sub(self.allocated);
        let mut baseline = self.baseline;
        if wall < LONG_POLL {
            baseline.short_polls += wall;
            BASELINE.set(Some(baseline));
            return PollCost { wall, cpu: wall, switches: 0, allocated };
        }
        let usage = ThreadUsage::now();
        BASELINE.set(Some(Baseline { at: now, usage, short_polls: Duration::ZERO }));
        let (cpu, switches) = usage.spent_since(&baseline.usage, wall, baseline.short_polls);
        PollCost { wall, cpu, switches, allocated }
    }
}

/// CPU time and voluntary context switches of the calling thread since it began.
#[derive(Clone, Copy)]
pub(crate) struct ThreadUsage {
    pub cpu: Duration,
    pub switches: u64,
}

impl ThreadUsage {
    #[cfg(target_os = "linux")]
    pub fn now() -> Self {
        use nix::sys::{
            resource::{UsageWho, getrusage},
            time::TimeValLike,
        };
        // It can't fail: both arguments are valid. Zero would read as "all off-CPU".
        let Ok(usage) = getrusage(UsageWho::RUSAGE_THREAD) else {
            return Self { cpu: Duration::ZERO, switches: 0 };
        };
        let cpu = usage.user_time() + usage.system_time();
        Self {
            cpu: Duration::from_micros(u64::try_from(cpu.num_microseconds()).unwrap_or(0)),
            switches: u64::try_from(usage.voluntary_context_switches()).unwrap_or(0),
        }
    }

    /// Returns zeros: no other system gives both for one thread. See `Counter::is_measured`.
    #[cfg(not(target_os = "linux"))]
    pub fn now() -> Self {
        Self { cpu: Duration::ZERO, switches: 0 }
    }

    /// CPU time and switches of a poll that took `wall`.
    fn spent_since(
        &self,
        baseline: &Self,
        wall: Duration,
        short_polls: Duration,
    ) -> (Duration, u64) {
        if !cfg!(target_os = "linux") {
            return (wall, 0);
        }
        let cpu = self.cpu.saturating_sub(baseline.cpu).saturating_sub(short_polls);
        let switches = self.switches.saturating_sub(baseline.switches);
        (cpu.min(wall), switches)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metered(work: impl FnOnce()) -> PollCost {
        let meter = PollMeter::start();
        work();
        meter.stop()
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_poll_that_sleeps_shows_switches_and_no_cpu() {
        let cost = metered(|| {
            for _ in 0..10 {
                #[expect(clippy::disallowed_methods, reason = "blocking is what is metered here")]
                std::thread::sleep(Duration::from_millis(2));
            }
        });
        assert!(cost.switches >= 10, "{} switches", cost.switches);
        assert!(cost.cpu < cost.wall / 2, "cpu {:?} of {:?}", cost.cpu, cost.wall);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_poll_that_computes_shows_cpu() {
        let cost = metered(|| {
            let before = ThreadUsage::now().cpu;
            while ThreadUsage::now().cpu.saturating_sub(before) < Duration::from_millis(20) {
                std::hint::black_box((0..1_000_u64).sum::<u64>());
            }
        });
        // The kernel rounds by a tick when it splits user and system time.
        assert!(cost.cpu >= Duration::from_millis(19), "cpu {:?}", cost.cpu);
    }

    #[test]
    fn short_polls_before_a_long_one_are_not_charged_to_it() {
        let before = Instant::now();
        let short = (0..100).map(|_| metered(|| {})).fold(Duration::ZERO, |sum, cost| {
            // A preempted poll is a long one.
            if cost.wall < LONG_POLL {
                assert_eq!((cost.cpu, cost.switches), (cost.wall, 0));
            }
            sum + cost.wall
        });
        let long = metered(|| while before.elapsed() < LONG_POLL * 8 {});
        assert!(long.cpu <= long.wall && long.wall + short <= before.elapsed(), "{long:?}");
        assert!(BASELINE.get().is_some());
        thread_parks();
        assert!(BASELINE.get().is_none());
    }
}
