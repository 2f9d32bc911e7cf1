//! CPU time and context switches of the app's threads, workers and blocking pool, as the kernel
//! counts them: also of work that no request accounts for (Linux).

use std::{
    fs,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use crate::poll_meter::ThreadUsage;

/// Beginning of the names of the app's threads.
pub const APP: &str = "app-";

/// Use of threads that have ended, such as those of the blocking pool after ten idle seconds.
static ENDED_CPU_NS: AtomicU64 = AtomicU64::new(0);
static ENDED_SWITCHES: AtomicU64 = AtomicU64::new(0);

/// Use of threads since they began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    pub cpu_ns: u64,
    pub switches: u64,
}

/// Hook for the app runtime's `on_thread_stop`: keeps what the thread used.
pub fn thread_stops() {
    let usage = ThreadUsage::now();
    ENDED_CPU_NS.fetch_add(u64::try_from(usage.cpu.as_nanos()).unwrap_or(0), Relaxed);
    ENDED_SWITCHES.fetch_add(usage.switches, Relaxed);
}

/// Use of all threads whose names begin with `APP`, alive or ended; None where it can't be read.
pub fn of_app() -> Option<Used> {
    let mut used =
        Used { cpu_ns: ENDED_CPU_NS.load(Relaxed), switches: ENDED_SWITCHES.load(Relaxed) };
    for task in fs::read_dir("/proc/self/task").ok()?.flatten() {
        // A thread may end in between; then it has added itself to the ended ones.
        let read = |file| fs::read_to_string(task.path().join(file)).unwrap_or_default();
        if read("comm").starts_with(APP) {
            // Nanoseconds on a core, nanoseconds waiting for one, and slices.
            let cpu = read("schedstat");
            used.cpu_ns += cpu.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or(0);
            used.switches += switches(&read("status")).unwrap_or(0);
        }
    }
    Some(used)
}

fn switches(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
    line.trim().parse().ok()
}
