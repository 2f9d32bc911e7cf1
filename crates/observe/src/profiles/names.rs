//! Public names of functions, and detection of threads that wait for work.

use std::collections::HashMap;

use pprof::{Frames, Symbol};

use super::{sampler::HANDLER, samples::Frame};

/// Private module paths of the standard library, and the public ones.
const PUBLIC_NAMES: [(&str, &str); 1] = [("std::thread::functions::", "std::thread::")];

pub fn public(mut name: String) -> String {
    for (private, public) in PUBLIC_NAMES {
        if name.contains(private) {
            name = name.replace(private, public);
        }
    }
    name
}

/// Names of addresses, each looked up once.
#[derive(Default)]
pub struct Names(HashMap<usize, Vec<Symbol>>);

impl Names {
    /// Resolves frames to public names. Leaves out the frames that took the sample: the handler,
    /// its callees, and the system's frame that calls it.
    pub fn of(&mut self, frames: &[Frame]) -> Vec<Vec<Symbol>> {
        let of_frame =
            |frame: &Frame| self.0.entry(frame.ip).or_insert_with(|| resolved(frame)).clone();
        let mut named: Vec<_> = frames.iter().map(of_frame).collect();
        let is_handler = |symbol: &Symbol| symbol.raw_name().ends_with(HANDLER.as_bytes());
        if let Some(handler) = named.iter().position(|symbols| symbols.iter().any(is_handler)) {
            named.drain(..named.len().min(handler + 2));
        }
        // Some code in C libraries has no name.
        named.retain(|symbols| !symbols.is_empty());
        named
    }
}

/// Symbols of a frame: several if functions are inlined.
fn resolved(frame: &Frame) -> Vec<Symbol> {
    let mut symbols = Vec::new();
    backtrace::resolve(frame.ip as *mut _, |symbol| {
        let mut symbol = Symbol::from(symbol);
        // Demangled once for all later uses.
        symbol.name = Some(public(symbol.name()).into_bytes());
        symbols.push(symbol);
    });
    symbols
}

/// Functions in which a thread waits for work.
const WAITING_FOR_WORK: [&str; 12] = [
    "line_batch::LineBatch::next",
    "ring::incoming::Incoming::wait_until_half_full",
    "profiles::names::idle",
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

/// Runs a wait for work. Profiles leave the thread out meanwhile, unless idle ones are wanted.
#[inline(never)]
pub fn idle<T>(wait: impl FnOnce() -> T) -> T {
    let result = wait();
    // Without it this would be no frame: the last call of a function takes its place.
    std::hint::black_box(());
    result
}

/// Runs work that may park the thread as idle ones do, while a request holds it.
#[inline(never)]
pub fn occupied<T>(work: impl FnOnce() -> T) -> T {
    let result = work();
    std::hint::black_box(());
    result
}

/// First frame of the standard library's that calls what a thread is for.
const START: &str = "__rust_begin_short_backtrace";

/// Frame of `occupied`.
const OCCUPIED: &str = "profiles::names::occupied";

pub fn is_idle(frames: &Frames) -> bool {
    let names = || frames.frames.iter().flatten().map(|symbol| symbol.name());
    if names().any(|name| name.contains(OCCUPIED)) {
        return false;
    }
    if names().any(|name| WAITING_FOR_WORK.iter().any(|waiting| name.contains(waiting))) {
        return true;
    }
    // A thread of tokio's blocking pool waits in the pool's own loop, with no task inside. In a release
    // build that loop is inlined, and without debug information of tokio it has no name there.
    let has = |part: &str| names().any(|name| name.contains(part));
    let waits_at_its_start = names()
        .skip_while(|name| !name.contains("condvar::Condvar::wait_until_internal"))
        .nth(1)
        .is_some_and(|caller| caller.contains(START));
    waits_at_its_start || has("runtime::blocking::pool::Inner::run") && !has("runtime::task::")
}
