//! Spans on their way into the ring: an app worker leaves one here and goes on.
//!
//! The list never grows while it is locked, and whoever empties it puts an empty one in its place.

use std::{
    mem,
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use opentelemetry_sdk::trace::SpanData;

use super::size;

pub struct Incoming {
    waiting: Mutex<Waiting>,
    filling: Condvar,
    slots: usize,
    max_heap: usize,
    dropped: AtomicU64,
}

struct Waiting {
    spans: Vec<SpanData>,
    heap: usize,
    is_closed: bool,
}

impl Incoming {
    /// For so many spans, which hold so many bytes beside their slots.
    pub fn new(slots: usize, max_heap: usize) -> Self {
        let waiting = Waiting { spans: Vec::with_capacity(slots), heap: 0, is_closed: false };
        Self {
            waiting: Mutex::new(waiting),
            filling: Condvar::new(),
            slots,
            max_heap,
            dropped: AtomicU64::new(0),
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // A panic while the lock was held leaves a list that is whole: its steps can't panic.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_half_full(&self, waiting: &Waiting) -> bool {
        waiting.spans.len() > self.slots / 2 || waiting.heap > self.max_heap / 2
    }

    /// Called where a span ends. Wakes somebody only when half of the room is taken.
    pub fn push(&self, span: SpanData) {
        let heap = size::heap(&span);
        let mut waiting = self.waiting();
        if waiting.spans.len() == self.slots || waiting.heap + heap > self.max_heap {
            self.dropped.fetch_add(1, Relaxed);
            return;
        }
        let was_half_full = self.is_half_full(&waiting);
        waiting.heap += heap;
        waiting.spans.push(span);
        let is_time = !was_half_full && self.is_half_full(&waiting);
        drop(waiting);
        if is_time {
            self.filling.notify_one();
        }
    }

    /// Takes all that waits, and leaves an empty list of the same room.
    pub fn take_into(&self, empty: &mut Vec<SpanData>) {
        let mut waiting = self.waiting();
        mem::swap(&mut waiting.spans, empty);
        waiting.heap = 0;
    }

    /// False when it was closed.
    pub fn wait_until_half_full(&self) -> bool {
        let is_idle = |waiting: &mut Waiting| !waiting.is_closed && !self.is_half_full(waiting);
        let waiting = self.filling.wait_while(self.waiting(), is_idle);
        !waiting.unwrap_or_else(PoisonError::into_inner).is_closed
    }

    pub fn close(&self) {
        self.waiting().is_closed = true;
        self.filling.notify_all();
    }

    /// What spans that wait hold beside their slots.
    pub fn heap(&self) -> usize {
        self.waiting().heap
    }

    /// Spans that found no room.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }
}
