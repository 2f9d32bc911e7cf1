//! What is wrong with a request, on top of its page: a worker that was held comes first, because it
//! makes everything else look slow.

use std::time::Duration;

use maud::{Markup, html};
use opentelemetry_sdk::trace::SpanData;

use super::{
    lines::{Repeat, ready, total, without_ready},
    millis,
    one::numbers,
};
use crate::{
    blocked::BLOCKED_FROM,
    html::counted,
    traces::store::trace::{Trace, duration},
};

/// Least number of equal queries that is shown as N+1.
const N_PLUS_ONE: usize = 10;

/// Least time without a worker, and least share of the request, that is worth an alarm.
const LONG_READY: Duration = Duration::from_millis(20);
const MUCH_READY: f64 = 0.1;

pub fn alarms(trace: &Trace, whole: &SpanData, repeats: &[Repeat<'_>]) -> Markup {
    let ready = ready(whole);
    let without_worker = total(&ready);
    let share = without_worker.as_secs_f64() / duration(whole).as_secs_f64().max(1e-9);
    html! {
        (held(whole))
        @if without_worker >= LONG_READY && share >= MUCH_READY {
            div.alarm {
                p { strong { "No worker was free for " (millis(without_worker)) } }
                p {
                    "So long this request was ready to go on, and other requests held "
                    a href="/debug/blocked" { "the workers" } ". Whatever it waits for looks slow meanwhile."
                }
            }
        }
        @for repeat in repeats.iter().filter(|r| r.is_query && r.count >= N_PLUS_ONE) {
            @let of_database = without_ready(trace, repeat.text, &ready);
            div.alarm {
                p { strong { "The same query " (repeat.count) " times" } ", " (millis(of_database)) " in total" }
                @if repeat.total >= of_database * 2 {
                    p {
                        (millis(repeat.total)) " with the time in which an answer was there and no worker took it."
                    }
                }
                pre { (repeat.text) }
            }
        }
    }
}

/// Alarm of a request that held a worker itself.
fn held(whole: &SpanData) -> Markup {
    let numbers = numbers(whole);
    let number = |name: &str| numbers.get(name).and_then(|text| text.parse::<f64>().ok());
    let time = |name| Duration::try_from_secs_f64(number(name)? / 1e3).ok();
    let (Some(longest), Some(busy)) = (time("longest_poll_ms"), time("busy_ms")) else {
        return html! {};
    };
    html! {
        @if longest >= BLOCKED_FROM {
            div.alarm {
                p { strong { "It held a worker for " (millis(busy)) } }
                p {
                    "Its longest poll took " (millis(longest)) ". "
                    @if let (Some(cpu), Some(switches)) = (time("cpu_ms"), number("switches")) {
                        "All of them used " (millis(cpu)) " of CPU: the thread "
                        @if cpu * 2 < busy { "waited" } @else { "computed" }
                        ", and gave up its core "
                        @if switches == 1.0 { "once" } @else { (counted(switches as u64, "time", "times")) }
                        "."
                    }
                }
            }
        }
    }
}
