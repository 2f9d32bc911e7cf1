//! Watches the machine during a load. On a machine that stood still any request is slow, so the
//! run says nothing about the lab: it is invalid, whether it would have held or not.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Sleep between two looks. Short against every stall that matters.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Overshoot of a sleep that makes a run invalid. Half of the strictest latency gate (500 ms): a
/// stall of that length alone can turn its verdict. A scheduler that only has many threads to serve
/// lets each of them run within some tens of milliseconds.
const STALL: Duration = Duration::from_millis(250);

/// Share of CPU time taken by other guests that makes a run invalid: with a fifth of the cores gone
/// a load that was chosen for these cores is another load.
const STEAL: f64 = 0.2;

/// Observations during one load.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Observed {
    /// Longest time by which a sleep of this process overshot.
    pub stall: Duration,
    /// Share of the machine's CPU time that the hypervisor gave to others; 0 where none is counted.
    pub steal: f64,
}

impl Observed {
    /// Reason that the run is invalid, if it is.
    pub fn invalid(&self) -> Option<String> {
        if self.stall >= STALL {
            let (stall, limit) = (self.stall.as_millis(), STALL.as_millis());
            return Some(format!(
                "the machine stood still for {stall} ms during the load, {limit} ms are too long"
            ));
        }
        (self.steal >= STEAL).then(|| {
            let (steal, limit) = (self.steal * 100.0, STEAL * 100.0);
            format!("other guests of the host took {steal:.0} % of the CPU time during the load, {limit:.0} % are too much")
        })
    }
}

/// Runs until it is stopped or dropped.
pub struct Watch {
    is_stopped: Arc<AtomicBool>,
    looks: Option<JoinHandle<Duration>>,
    before: Option<CpuTime>,
}

impl Watch {
    /// Starts the watch on a thread of its own: a task would measure its runtime, not the machine.
    pub fn start() -> Result<Self, String> {
        let is_stopped = Arc::new(AtomicBool::new(false));
        let looks = {
            let is_stopped = is_stopped.clone();
            thread::Builder::new().name("machine-watch".to_owned()).spawn(move || look(&is_stopped))
        };
        let looks = looks.map_err(|e| format!("no thread to watch the machine: {e}"))?;
        Ok(Self { is_stopped, looks: Some(looks), before: CpuTime::now() })
    }

    pub fn stop(mut self) -> Observed {
        self.is_stopped.store(true, Relaxed);
        let stall = self.looks.take().and_then(|looks| looks.join().ok()).unwrap_or_default();
        let steal = match (self.before, CpuTime::now()) {
            (Some(before), Some(after)) => after.steal_since(before),
            _ => 0.0,
        };
        Observed { stall, steal }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.is_stopped.store(true, Relaxed);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a thread of its own; how long it sleeps is measured"
)]
fn look(is_stopped: &AtomicBool) -> Duration {
    let mut longest = Duration::ZERO;
    while !is_stopped.load(Relaxed) {
        let slept = Instant::now();
        thread::sleep(LOOK_EVERY);
        longest = longest.max(slept.elapsed().saturating_sub(LOOK_EVERY));
    }
    longest
}

/// CPU time of the machine since its start, in ticks.
#[derive(Debug, Clone, Copy, PartialEq)]
struct CpuTime {
    all: u64,
    steal: u64,
}

impl CpuTime {
    fn now() -> Option<Self> {
        Self::of(&std::fs::read_to_string("/proc/stat").ok()?)
    }

    /// Reads `cpu user nice system idle iowait irq softirq steal …`; what follows is in `user`.
    fn of(stat: &str) -> Option<Self> {
        let numbers = stat.lines().next()?.strip_prefix("cpu ")?;
        let ticks: Vec<u64> = numbers.split_whitespace().map_while(|n| n.parse().ok()).collect();
        let steal = *ticks.get(7)?;
        Some(Self { all: ticks[..8].iter().sum(), steal })
    }

    fn steal_since(self, before: Self) -> f64 {
        let all = self.all.saturating_sub(before.all);
        self.steal.saturating_sub(before.steal) as f64 / all.max(1) as f64
    }
}

/// Repeats of one lab that prove may take for invalid runs. A second invalid run in a row is no
/// accident: this machine is too busy for a verdict.
const REPEATS_OF_LAB: usize = 1;
/// Repeats in all, however many labs are proven.
const REPEATS_IN_ALL: usize = 3;

/// Repeats taken so far. Only an invalid run is repeated: a failure never is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Repeats {
    pub in_all: usize,
}

impl Repeats {
    /// Takes a repeat for a lab that was repeated `of_lab` times, if there is one left.
    pub fn take(&mut self, of_lab: usize) -> bool {
        let may = of_lab < REPEATS_OF_LAB && self.in_all < REPEATS_IN_ALL;
        self.in_all += usize::from(may);
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_invalid_by_a_stall_or_by_stolen_time_and_by_nothing_else() {
        let observed = |stall, steal| Observed { stall: Duration::from_millis(stall), steal };
        assert_eq!(observed(0, 0.0).invalid(), None);
        assert_eq!(observed(249, 0.19).invalid(), None);
        let stalled = observed(250, 0.0).invalid().unwrap();
        assert!(stalled.contains("stood still for 250 ms"), "{stalled}");
        let stolen = observed(0, 0.2).invalid().unwrap();
        assert!(stolen.contains("took 20 % of the CPU time"), "{stolen}");
    }

    #[test]
    fn a_lab_is_repeated_once_and_all_labs_three_times() {
        let mut repeats = Repeats::default();
        assert!(repeats.take(0));
        assert!(!repeats.take(1));
        assert!(repeats.take(0) && repeats.take(0));
        assert!(!repeats.take(0));
        assert_eq!(repeats.in_all, 3);
    }

    #[test]
    fn steal_is_a_share_of_all_time() {
        let before = CpuTime::of("cpu  100 0 50 800 10 0 5 35 7 0\ncpu0 1 2 3").unwrap();
        assert_eq!(before, CpuTime { all: 1000, steal: 35 });
        let after = CpuTime { all: 1400, steal: 135 };
        assert_eq!(after.steal_since(before), 0.25);
        assert_eq!(before.steal_since(before), 0.0);
        assert_eq!(CpuTime::of("cpu 1 2 3"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_watch_sees_this_machine() {
        assert!(CpuTime::now().is_some());
        let watch = Watch::start().unwrap();
        let observed = watch.stop();
        assert!((0.0..=1.0).contains(&observed.steal), "{observed:?}");
    }
}
