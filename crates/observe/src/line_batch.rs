//! Batches of access lines for standard output: gathered for a moment, then written at once.
//!
//! Sending each line to a writer thread costs two copies, a queue and mostly a wake-up; appending
//! it to a batch costs one copy. A waiting batch is lost only if the process is killed.

use std::{
    io::Write,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

/// Time that the first line of a batch waits for others. Shorter than a person notices.
const GATHER: Duration = Duration::from_millis(10);

/// Most bytes that wait while standard output is blocked; further lines are dropped.
const MAX_WAITING: usize = 16 * 1024 * 1024;

/// Largest buffer that is reused, in bytes: fresh memory causes page faults for each batch. A
/// larger buffer, left by a blocked standard output, is freed.
const KEPT: usize = 1024 * 1024;

/// Longest time that the end of the process waits for the last batch.
const FLUSHED_WITHIN: Duration = Duration::from_secs(1);

#[derive(Default)]
pub struct LineBatch {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    dropped: AtomicU64,
}

#[derive(Default)]
struct Waiting {
    lines: Vec<u8>,
    is_closed: bool,
    is_writing: bool,
}

/// Writes the waiting lines when it is dropped.
pub struct BatchGuard(Arc<LineBatch>);

impl LineBatch {
    /// Starts the writer thread.
    pub fn start(mut out: impl Write + Send + 'static) -> (Arc<Self>, BatchGuard) {
        let batch = Arc::new(Self::default());
        let source = batch.clone();
        let writer = move || {
            let mut written = Vec::new();
            while let Some(lines) = source.next(written) {
                // A closed pipe ends the log, not the server.
                let _ = out.write_all(&lines).and_then(|()| out.flush());
                source.waiting().is_writing = false;
                source.changed.notify_all();
                written = lines;
            }
        };
        if let Err(error) = thread::Builder::new().name("access-log".to_owned()).spawn(writer) {
            tracing::error!(%error, "no thread for the access log");
        }
        (batch.clone(), BatchGuard(batch))
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // A panic while the lock was held leaves whole lines: appending is one step.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn push(&self, line: &[u8]) {
        let mut waiting = self.waiting();
        if waiting.lines.len() + line.len() > MAX_WAITING {
            self.dropped.fetch_add(1, Relaxed);
            return;
        }
        let is_first = waiting.lines.is_empty();
        waiting.lines.extend_from_slice(line);
        drop(waiting);
        if is_first {
            self.changed.notify_one();
        }
    }

    /// Waits until every line so far is written, at most `FLUSHED_WITHIN`.
    pub fn flush(&self) {
        let is_behind = |w: &mut Waiting| w.is_writing || !w.lines.is_empty();
        drop(self.changed.wait_timeout_while(self.waiting(), FLUSHED_WITHIN, is_behind));
    }

    /// Lines dropped since the start because too many waited.
    pub fn dropped_lines(&self) -> u64 {
        self.dropped.load(Relaxed)
    }

    /// Returns the next batch, or None once the queue is closed and empty. `written` becomes the
    /// buffer of the lines that follow.
    fn next(&self, mut written: Vec<u8>) -> Option<Vec<u8>> {
        written.clear();
        written.shrink_to(KEPT);
        let is_idle = |w: &mut Waiting| w.lines.is_empty() && !w.is_closed;
        let waiting = self.changed.wait_while(self.waiting(), is_idle);
        let waiting = waiting.unwrap_or_else(PoisonError::into_inner);
        let gathered = self.changed.wait_timeout_while(waiting, GATHER, |w| !w.is_closed);
        let (mut waiting, _) = gathered.unwrap_or_else(PoisonError::into_inner);
        let lines = std::mem::replace(&mut waiting.lines, written);
        waiting.is_writing = !lines.is_empty();
        waiting.is_writing.then_some(lines)
    }
}

impl Drop for BatchGuard {
    fn drop(&mut self) {
        self.0.waiting().is_closed = true;
        self.0.changed.notify_all();
        self.0.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_line_is_written_once_and_whole() {
        let sink = Sink::default();
        let (batch, guard) = LineBatch::start(sink.clone());
        thread::scope(|scope| {
            for writer in 0..4 {
                let batch = &batch;
                scope.spawn(move || {
                    (0..1_000).for_each(|n| batch.push(format!("{writer} {n}\n").as_bytes()));
                });
            }
        });
        drop(guard);
        let text = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
        let mut lines: Vec<_> = text.lines().collect();
        lines.sort_unstable();
        lines.dedup();
        assert_eq!((lines.len(), text.len()), (4_000, 4 * (10 * 4 + 90 * 5 + 900 * 6)));
        assert_eq!(batch.dropped_lines(), 0);
    }

    #[test]
    fn lines_that_find_no_room_are_counted() {
        let batch = LineBatch::default();
        batch.push(&vec![b'x'; MAX_WAITING]);
        batch.push(b"one too many\n");
        assert_eq!(batch.dropped_lines(), 1);
    }
}
