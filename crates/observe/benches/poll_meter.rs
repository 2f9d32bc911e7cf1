//! Cost of metering: nanoseconds of a short poll, bare and measured, and of a thread-usage reading.
//!
//! `cargo bench --bench poll_meter`

use std::{
    future::poll_fn,
    hint::black_box,
    pin::pin,
    task::{Context, Poll, Waker},
    time::Instant,
};

use axum::http::HeaderMap;
use chokepoint_observe::{
    request_cost::{Measured, RequestCost},
    request_id::Ids,
};

const POLLS: u32 = 2_000_000;
const ROUNDS: usize = 7;

/// Median over the rounds of the nanoseconds that one call takes.
fn nanos(mut call: impl FnMut()) -> f64 {
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let started = Instant::now();
            (0..POLLS).for_each(|_| call());
            started.elapsed().as_nanos() as f64 / f64::from(POLLS)
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[ROUNDS / 2]
}

fn main() {
    let mut context = Context::from_waker(Waker::noop());
    let pending = || poll_fn(|_| black_box(Poll::<()>::Pending));

    let mut bare = pin!(pending());
    let of_bare = nanos(|| assert!(bare.as_mut().poll(&mut context).is_pending()));

    let request_cost = RequestCost::new(Ids::of(&HeaderMap::new(), None), None, Instant::now());
    let mut measured = pin!(Measured::new(request_cost, pending()));
    let of_measured = nanos(|| assert!(measured.as_mut().poll(&mut context).is_pending()));

    println!("short poll, bare      {of_bare:7.1} ns");
    println!("short poll, measured  {of_measured:7.1} ns");
    #[cfg(target_os = "linux")]
    {
        use nix::sys::resource::{UsageWho, getrusage};
        let of_reading = nanos(|| assert!(getrusage(UsageWho::RUSAGE_THREAD).is_ok()));
        println!("reading thread usage  {of_reading:7.1} ns");
    }
}
