//! One connection: its requests, which side waits for the other, and since when.

use std::{
    future::poll_fn,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{
            AtomicBool, AtomicU32, AtomicU64,
            Ordering::{Acquire, Relaxed, Release},
        },
    },
    task::Poll,
};

use futures_util::task::AtomicWaker;

use super::Port;
use product::edge::ConnectionBytes;

/// Timeouts of a connection.
mod timeouts;

pub use timeouts::Reason;
use timeouts::{ARRIVES, is_over};

/// State of a connection. Times are of the port's clock. Own counters, so they are cheap.
pub struct Connection {
    pub(super) port: Arc<Port>,
    pub peer: SocketAddr,
    /// Bytes buffered for its answers and bodies.
    pub bytes: ConnectionBytes,
    accepted: u64,
    has_requested: AtomicBool,
    is_http2: AtomicBool,
    /// Requests whose answer hyper does not have completely.
    requests: AtomicU32,
    /// Those of them whose body is still arriving.
    arriving: AtomicU32,
    /// Answers, or parts of them, that wait for the client to read.
    unsent: AtomicU32,
    /// True if the socket accepts no more bytes.
    is_blocked: AtomicBool,
    /// Time at which the client last accepted bytes.
    moved: AtomicU64,
    /// Time at which the first byte of a head came; 0 while there is none.
    head_since: AtomicU64,
    /// Time at which the client closed its side; 0 until then.
    left_at: AtomicU64,
    makes_room: AtomicBool,
    is_reset: AtomicBool,
    looks: AtomicBool,
    waker: AtomicWaker,
}

impl Connection {
    pub(super) fn new(port: Arc<Port>, peer: SocketAddr) -> Self {
        let now = port.now();
        Self {
            port,
            peer,
            bytes: ConnectionBytes::default(),
            accepted: now,
            has_requested: AtomicBool::new(false),
            is_http2: AtomicBool::new(false),
            requests: AtomicU32::new(0),
            arriving: AtomicU32::new(0),
            unsent: AtomicU32::new(0),
            is_blocked: AtomicBool::new(false),
            moved: AtomicU64::new(now),
            head_since: AtomicU64::new(0),
            left_at: AtomicU64::new(0),
            makes_room: AtomicBool::new(false),
            is_reset: AtomicBool::new(false),
            looks: AtomicBool::new(false),
            waker: AtomicWaker::new(),
        }
    }

    /// True if an answer waits for the client to read.
    fn is_unsent(&self) -> bool {
        self.unsent.load(Acquire) > 0 || self.is_blocked.load(Relaxed)
    }

    pub fn is_idle(&self) -> bool {
        !self.is_unsent() && self.requests.load(Acquire) == 0
    }

    pub(super) fn idle_since(&self) -> u64 {
        self.moved.load(Relaxed)
    }

    /// Requests that have arrived completely but are not completely answered.
    pub(super) fn requests_to_answer(&self) -> u64 {
        let whole = self.requests.load(Acquire).saturating_sub(self.arriving.load(Acquire));
        u64::from(whole.max(u32::from(self.is_unsent())))
    }

    pub fn has_requested(&self) -> bool {
        self.has_requested.load(Relaxed)
    }

    pub fn is_http2(&self) -> bool {
        self.is_http2.load(Relaxed)
    }

    pub(super) fn make_room(&self) {
        self.makes_room.store(true, Relaxed);
        self.look_at_yourself();
    }

    pub(super) fn reset(&self) {
        self.is_reset.store(true, Relaxed);
    }

    pub(super) fn is_reset(&self) -> bool {
        self.is_reset.load(Relaxed)
    }

    pub(super) fn look_at_yourself(&self) {
        self.looks.store(true, Release);
        self.waker.wake();
    }

    /// Completes when the port requests a check of `overstays`.
    pub async fn is_to_look(&self) {
        poll_fn(|cx| {
            self.waker.register(cx.waker());
            let looks = self.looks.load(Acquire) && self.looks.swap(false, Acquire);
            if looks { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    pub fn is_stopping(&self) -> bool {
        self.port.is_stopping()
    }

    /// Milliseconds since the port opened, as of its last check: exact enough for timeouts.
    pub fn now(&self) -> u64 {
        self.port.now()
    }

    pub(super) fn answers_are_last(&self) -> bool {
        self.port.is_leaving()
    }
}

/// Events that socket and service report.
impl Connection {
    pub(super) fn speaks_http2(&self) {
        self.is_http2.store(true, Relaxed);
    }

    /// Records that the client accepted bytes.
    pub(super) fn moves(&self) {
        self.moved.store(self.port.now(), Relaxed);
    }

    pub(super) fn bytes_came(&self) {
        // The rest of a refused body is not the start of a request.
        let may_begin = self.arriving.load(Acquire) == 0 && self.is_idle();
        if self.head_since.load(Relaxed) == 0 && may_begin {
            self.head_since.store(self.port.now(), Relaxed);
        }
    }

    /// Records that the client will send no more. True if it may be waiting for an answer.
    pub(super) fn leaves(&self) -> bool {
        if self.is_http2() || self.is_idle() {
            return false;
        }
        if self.left_at.load(Relaxed) == 0 {
            self.left_at.store(self.port.now(), Relaxed);
        }
        !self.broke_off(self.port.now())
    }

    /// True if the client left in mid-body. The wait gives the handler time to read the rest.
    pub(super) fn broke_off(&self, now: u64) -> bool {
        let left_at = self.left_at.load(Relaxed);
        left_at > 0 && self.arriving.load(Acquire) > 0 && is_over(now, left_at, ARRIVES)
    }

    pub(super) fn written(&self) {
        let was_blocked = self.is_blocked.load(Relaxed);
        // HTTP/2 also writes control frames; the progress of an answer is reported by its pieces.
        if was_blocked || !self.is_http2() {
            self.moves();
        }
        if was_blocked {
            self.is_blocked.store(false, Relaxed);
            self.wake_if_left();
        }
    }

    pub(super) fn blocks(&self) {
        if !self.is_blocked.load(Relaxed) {
            if self.unsent.load(Acquire) == 0 {
                self.moves();
            }
            self.is_blocked.store(true, Relaxed);
        }
    }

    pub(super) fn asks(&self) {
        self.has_requested.store(true, Relaxed);
        self.head_since.store(0, Relaxed);
        self.requests.fetch_add(1, Release);
    }

    pub(super) fn is_answered(&self) {
        if self.requests.fetch_sub(1, Release) == 1 {
            self.moves();
        }
        self.wake_if_left();
    }

    pub(super) fn sends_body(&self) {
        self.arriving.fetch_add(1, Release);
    }

    pub(super) fn body_ends(&self) {
        self.arriving.fetch_sub(1, Release);
    }

    pub(super) fn answer_begun(&self) {
        if self.unsent.fetch_add(1, Release) == 0 {
            self.moves();
        }
    }

    pub(super) fn answer_sent(&self) {
        self.unsent.fetch_sub(1, Release);
    }

    /// Lets hyper see the end of the input, which `Socket` has withheld from it. A bare wake would be
    /// lost if the answer is there before `is_to_look` was polled for the first time.
    fn wake_if_left(&self) {
        if self.left_at.load(Relaxed) > 0 {
            self.look_at_yourself();
        }
    }
}
