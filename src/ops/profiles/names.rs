//! What functions are called in public, and in which of them a thread waits for work.

use pprof::{Frames, Symbol};

/// Where the standard library keeps a function, and where people know it from.
const PUBLIC_NAMES: [(&str, &str); 1] = [("std::thread::functions::", "std::thread::")];

pub fn public(mut name: String) -> String {
    for (private, public) in PUBLIC_NAMES {
        if name.contains(private) {
            name = name.replace(private, public);
        }
    }
    name
}

/// Functions that take a sample. Without optimization they are on top of each stack.
const TAKE_A_SAMPLE: [&str; 2] = ["backtrace::backtrace::", "<pprof::backtrace::"];

/// Demangles once for all that follows, calls functions what people call them, and leaves the profiler's out.
pub fn with_public_names(mut frames: Frames) -> Frames {
    let takes_a_sample = |symbols: &&Vec<Symbol>| {
        let starts = |symbol: &Symbol| TAKE_A_SAMPLE.iter().any(|f| symbol.name().starts_with(f));
        symbols.iter().any(starts)
    };
    let own = frames.frames.iter().take_while(takes_a_sample).count();
    frames.frames.drain(..own);
    for symbol in frames.frames.iter_mut().flatten() {
        symbol.name = Some(public(symbol.name()).into_bytes());
    }
    frames
}

/// Functions in which a thread waits for work rather than does some.
const WAITING_FOR_WORK: [&str; 12] = [
    "line_batch::LineBatch::next",
    "ring::incoming::Incoming::wait_until_half_full",
    "held_threads::wait_for_next",
    "scheduler::multi_thread::park::Inner::park",
    "scheduler::multi_thread::park::Parker::park",
    "scheduler::multi_thread::worker::Context::park",
    "runtime::park::CachedParkThread::park",
    "runtime::park::Inner::park",
    "runtime::time::Driver::park",
    "mpsc::Receiver<T>::recv",
    "<flume::IntoIter<T> as core::iter::traits::iterator::Iterator>::next",
    "crossbeam_channel::channel::Receiver",
];

/// The function in which a thread waits for the answer to its request.
const HELD: &str = "held_threads::hold_until_answered";

pub fn is_idle(frames: &Frames) -> bool {
    let names = || frames.frames.iter().flatten().map(|symbol| symbol.name());
    // A v1 request's thread parks as idle ones do, but it is held.
    if names().any(|name| name.contains(HELD)) {
        return false;
    }
    if names().any(|name| WAITING_FOR_WORK.iter().any(|waiting| name.contains(waiting))) {
        return true;
    }
    // A thread of tokio's blocking pool waits in the pool's own loop, with no task inside.
    let has = |part: &str| names().any(|name| name.contains(part));
    has("runtime::blocking::pool::Inner::run") && !has("runtime::task::")
}
