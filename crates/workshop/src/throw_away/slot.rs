//! Work in a slot, which another thread may empty while the work waits. What the work holds goes
//! with it: a lock kept across an await, for which threads may be blocked that nobody else can free.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError, TryLockError, Weak},
    task::{Context, Poll, ready},
};

/// Slot with the work of a job.
struct Slot<W>(Mutex<Option<Pin<Box<W>>>>);

/// Job that may be waiting.
pub trait Waiting: Send + Sync {
    /// Drops the work, unless a thread is inside it: that one can't be stopped.
    fn drop_work(&self);
}

/// Job of a runtime. It ends with None if its work was dropped.
pub struct InSlot<W>(Arc<Slot<W>>);

impl<W: Send + 'static> InSlot<W> {
    pub fn new(work: W) -> Self {
        Self(Arc::new(Slot(Mutex::new(Some(Box::pin(work))))))
    }

    /// Its slot, as long as the job is there.
    pub fn slot(&self) -> Weak<dyn Waiting> {
        Arc::downgrade(&self.0) as Weak<dyn Waiting>
    }
}

impl<W: Send> Waiting for Slot<W> {
    fn drop_work(&self) {
        let work = match self.0.try_lock() {
            Ok(mut work) => work.take(),
            // Work that panicked is not polled again.
            Err(TryLockError::Poisoned(work)) => work.into_inner().take(),
            Err(TryLockError::WouldBlock) => None,
        };
        drop(work);
    }
}

impl<W: Future> Future for InSlot<W> {
    type Output = Option<W::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // Held for the whole poll, so that the slot is never emptied under it.
        let mut slot = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(work) = slot.as_mut() else { return Poll::Ready(None) };
        let result = ready!(work.as_mut().poll(cx));
        *slot = None;
        Poll::Ready(Some(result))
    }
}
