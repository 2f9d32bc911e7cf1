//! Queue of spans before the ring: an app worker pushes a span and goes on.
//!
//! The list never grows while it is locked: emptying it swaps in an empty list of the same size.

use std::{
    mem,
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

pub struct Incoming {
    waiting: Mutex<Waiting>,
    filling: Condvar,
    room: usize,
    dropped: AtomicU64,
}

struct Waiting {
    /// Packed spans, one after another.
    spans: Vec<u8>,
    is_closed: bool,
}

impl Incoming {
    /// Creates a queue for `room` bytes of packed spans.
    pub fn new(room: usize) -> Self {
        let waiting = Waiting { spans: Vec::with_capacity(room), is_closed: false };
        Self {
            waiting: Mutex::new(waiting),
            filling: Condvar::new(),
            room,
            dropped: AtomicU64::new(0),
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // A panic while the lock was held leaves a list that is whole: its steps can't panic.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_half_full(&self, waiting: &Waiting) -> bool {
        waiting.spans.len() > self.room / 2
    }

    /// Adds a span that has ended. Wakes the ring's thread only when half of the room is used.
    pub fn push(&self, span: &[u8]) {
        let mut waiting = self.waiting();
        if waiting.spans.len() + span.len() > self.room {
            self.dropped.fetch_add(1, Relaxed);
            return;
        }
        let was_half_full = self.is_half_full(&waiting);
        waiting.spans.extend_from_slice(span);
        let is_time = !was_half_full && self.is_half_full(&waiting);
        drop(waiting);
        if is_time {
            self.filling.notify_one();
        }
    }

    /// Takes all waiting spans, and leaves `empty` in their place.
    pub fn take_into(&self, empty: &mut Vec<u8>) {
        mem::swap(&mut self.waiting().spans, empty);
    }

    /// Waits until half full; returns false when the queue is closed.
    pub fn wait_until_half_full(&self) -> bool {
        let is_idle = |waiting: &mut Waiting| !waiting.is_closed && !self.is_half_full(waiting);
        let waiting = self.filling.wait_while(self.waiting(), is_idle);
        !waiting.unwrap_or_else(PoisonError::into_inner).is_closed
    }

    pub fn close(&self) {
        self.waiting().is_closed = true;
        self.filling.notify_all();
    }

    /// Spans dropped because the queue was full.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }
}
