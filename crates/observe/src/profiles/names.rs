//! What functions are called in public, and in which of them a thread waits for work.

use std::collections::HashMap;

use pprof::{Frames, Symbol};

use super::{sampler::HANDLER, samples::Frame};

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

/// Names of addresses, each looked up once.
#[derive(Default)]
pub struct Names(HashMap<usize, Vec<Symbol>>);

impl Names {
    /// Calls functions what people call them, and leaves those out that took the sample: the handler,
    /// what it called, and what the system calls it by.
    pub fn of(&mut self, frames: &[Frame]) -> Vec<Vec<Symbol>> {
        let of_frame =
            |frame: &Frame| self.0.entry(frame.ip).or_insert_with(|| resolved(frame)).clone();
        let mut named: Vec<_> = frames.iter().map(of_frame).collect();
        let is_handler = |symbol: &Symbol| symbol.raw_name().ends_with(HANDLER.as_bytes());
        if let Some(handler) = named.iter().position(|symbols| symbols.iter().any(is_handler)) {
            named.drain(..named.len().min(handler + 2));
        }
        // Code without a name, of which there is some in C libraries.
        named.retain(|symbols| !symbols.is_empty());
        named
    }
}

/// More than one where functions are inlined.
fn resolved(frame: &Frame) -> Vec<Symbol> {
    let mut symbols = Vec::new();
    backtrace::resolve(frame.ip as *mut _, |symbol| {
        let mut symbol = Symbol::from(symbol);
        // Demangled for all that follows.
        symbol.name = Some(public(symbol.name()).into_bytes());
        symbols.push(symbol);
    });
    symbols
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
