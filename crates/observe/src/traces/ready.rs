//! Time in which a traced request was ready to go on and no worker polled it, because others held
//! them. Meanwhile everything that it waits for looks slow, its queries too.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll, Wake, Waker},
    time::{Duration, Instant, SystemTime},
};

use opentelemetry::KeyValue;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// Name of the span's events, one for each such time.
pub const EVENT: &str = "ready, not polled";
/// Attribute of the event: its length. The event's own time is its begin.
pub const ATTRIBUTE: &str = "chokepoint.ready_ms";

/// Shortest time that is recorded: a worker that is not held takes a task up within microseconds.
const FROM: Duration = Duration::from_millis(1);
/// Most events of one request. A loop of queries beside a held worker has one for each.
const MOST: u32 = 100;

/// Waker of a request's task that notes when it was called first since the last poll.
struct Noting {
    began: Instant,
    /// Nanoseconds from `began` to that call, and 0 if there was none.
    woken: AtomicU64,
    task: Mutex<Waker>,
}

impl Wake for Noting {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let now = u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX).max(1);
        // The first call counts; later ones of the same wait change nothing.
        let _ = self.woken.compare_exchange(0, now, Relaxed, Relaxed);
        self.task.lock().unwrap_or_else(PoisonError::into_inner).wake_by_ref();
    }
}

/// Meter of one request.
pub struct Ready {
    noting: Arc<Noting>,
    recorded: u32,
}

impl Ready {
    /// Meter of a request with this span; None for one that is not traced, which pays nothing.
    pub fn of(span: &Span) -> Option<Self> {
        (!span.is_none()).then(|| Self {
            noting: Arc::new(Noting {
                began: Instant::now(),
                woken: AtomicU64::new(0),
                task: Mutex::new(Waker::noop().clone()),
            }),
            recorded: 0,
        })
    }

    /// Polls with the noting waker, after the time since the last call of it was recorded.
    pub fn poll<T>(
        &mut self,
        span: &Span,
        cx: &Context<'_>,
        poll: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        let woken = self.noting.woken.swap(0, Relaxed);
        if woken > 0 {
            let waited = self.noting.began.elapsed().saturating_sub(Duration::from_nanos(woken));
            self.record(span, waited);
        }
        self.noting.task.lock().unwrap_or_else(PoisonError::into_inner).clone_from(cx.waker());
        let waker = Waker::from(self.noting.clone());
        poll(&mut Context::from_waker(&waker))
    }

    fn record(&mut self, span: &Span, waited: Duration) {
        if waited < FROM || self.recorded == MOST {
            return;
        }
        self.recorded += 1;
        let millis = waited.as_secs_f64() * 1e3;
        let attributes = vec![KeyValue::new(ATTRIBUTE, millis)];
        span.add_event_with_timestamp(EVENT, SystemTime::now() - waited, attributes);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    struct Counting(AtomicUsize);

    impl Wake for Counting {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Relaxed);
        }
    }

    #[test]
    fn the_task_is_woken_and_the_first_call_since_the_last_poll_is_noted() {
        let span = tracing::info_span!("request");
        assert!(Ready::of(&Span::none()).is_none(), "an untraced request pays nothing");
        let noting = Noting {
            began: Instant::now(),
            woken: AtomicU64::new(0),
            task: Mutex::new(Waker::noop().clone()),
        };
        let mut ready = Ready { noting: Arc::new(noting), recorded: 0 };
        let counting = Arc::new(Counting(AtomicUsize::new(0)));
        let task = Waker::from(counting.clone());
        let cx = Context::from_waker(&task);
        let mut kept = None;
        let _: Poll<()> = ready.poll(&span, &cx, |cx| {
            kept = Some(cx.waker().clone());
            Poll::Pending
        });
        let kept = kept.unwrap();
        assert_eq!(ready.noting.woken.load(Relaxed), 0);
        kept.wake_by_ref();
        let first = ready.noting.woken.load(Relaxed);
        kept.wake_by_ref();
        assert_eq!((counting.0.load(Relaxed), ready.noting.woken.load(Relaxed)), (2, first));
        assert!(first > 0);
        assert_eq!(ready.poll(&span, &cx, |_| Poll::Ready(7)), Poll::Ready(7));
        assert_eq!(ready.noting.woken.load(Relaxed), 0);
    }

    #[test]
    fn short_times_and_those_beyond_the_most_are_left_out() {
        let mut ready = Ready {
            noting: Arc::new(Noting {
                began: Instant::now(),
                woken: AtomicU64::new(0),
                task: Mutex::new(Waker::noop().clone()),
            }),
            recorded: 0,
        };
        let span = Span::none();
        ready.record(&span, FROM / 2);
        assert_eq!(ready.recorded, 0);
        for _ in 0..MOST + 5 {
            ready.record(&span, FROM);
        }
        assert_eq!(ready.recorded, MOST);
    }
}
