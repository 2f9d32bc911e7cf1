//! Queue in front of the log of the reports, and the thread that writes what is in it: a non-blocking
//! writer, as the program's own log has one.

use std::{
    fmt,
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use super::report_log::{line, write};

/// Most lines that wait for the thread, less than 1 MiB of them.
const QUEUED_LINES: usize = 10_000;

/// Lines that found the queue full since the last that was written.
static DROPPED: AtomicU64 = AtomicU64::new(0);

static QUEUE: LazyLock<SyncSender<String>> = LazyLock::new(|| {
    let (queue, lines) = sync_channel(QUEUED_LINES);
    // Without its thread the queue is closed, and its lines are dropped.
    let _ = thread::Builder::new().name("report-log".to_owned()).spawn(move || write_all(&lines));
    queue
});

/// Hands a line to the thread. If the queue is full the line is dropped and counted: no request
/// waits for its log.
pub fn info(message: fmt::Arguments<'_>) {
    if QUEUE.try_send(line(message)).is_err() {
        DROPPED.fetch_add(1, Relaxed);
    }
}

fn write_all(lines: &Receiver<String>) {
    for written in lines {
        write(&written);
        let dropped = DROPPED.swap(0, Relaxed);
        if dropped > 0 {
            write(&line(format_args!("dropped {dropped} lines, the queue was full")));
        }
    }
}
