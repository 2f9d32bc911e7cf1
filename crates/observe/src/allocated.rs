//! Bytes that the calling thread has allocated since it began, as jemalloc counts them (Linux). A
//! reading is a load from memory: it takes no call.

#[cfg(target_os = "linux")]
use tikv_jemalloc_ctl::thread::{ThreadLocal, allocatedp};

#[cfg(target_os = "linux")]
thread_local! {
    /// Counter of this thread; None in a program with another allocator.
    static COUNTER: Option<ThreadLocal<u64>> = allocatedp::read().ok();
}

#[cfg(target_os = "linux")]
pub fn by_this_thread() -> u64 {
    // A thread that ends drops its counter before its last future.
    COUNTER.try_with(|counter| counter.as_ref().map_or(0, |counter| counter.get())).unwrap_or(0)
}

#[cfg(not(target_os = "linux"))]
pub fn by_this_thread() -> u64 {
    0
}
