//! Totals of every cost counter in this process, whoever caused them: also a task that no request
//! waits for. The difference of two readings is the cost of a load.

use std::{
    cell::Cell,
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use crate::{
    cost::{Counter, LEN, own, row::AddsUp},
    threads,
};

/// Counters of polls and bodies, which a request adds when its record is dropped: counting each poll
/// twice would cost the short ones.
pub(crate) const AT_THE_END: [Counter; 5] =
    [Counter::Polls, Counter::BusyMs, Counter::OffCpuMs, Counter::Bytes, Counter::AllocatedBytes];

/// Own counters come after those of the table, by their numbers.
static TOTALS: [AtomicU64; LEN_OF_TOTALS] = [const { AtomicU64::new(0) }; LEN_OF_TOTALS];
const LEN_OF_TOTALS: usize = LEN + 256;

fn place(counter: Counter) -> Option<usize> {
    match counter {
        Counter::Own(number) => Some(LEN + usize::from(number)),
        of_table => of_table.place(),
    }
}

thread_local! {
    /// True on threads of a service that runs beside the app.
    static IS_BESIDE: Cell<bool> = const { Cell::new(false) };
}

/// Leaves out what the calling thread does: a hook for the runtime of another service in this
/// process, whose queries are not the app's.
pub fn leave_this_thread_out() {
    IS_BESIDE.set(true);
}

pub(crate) fn add(counter: Counter, amount: u64) {
    if !IS_BESIDE.get() {
        add_for_app(counter, amount);
    }
}

/// Adds work of the app, also on a thread that is left out: what such a service saw the app do.
pub(crate) fn add_for_app(counter: Counter, amount: u64) {
    if amount > 0
        && let Some(total) = place(counter).and_then(|place| TOTALS.get(place))
    {
        total.fetch_add(amount, Relaxed);
    }
}

/// Total of a counter since the start, as in JSON; None if it does not add up, or can't be measured.
pub fn of(counter: Counter) -> Option<f64> {
    let row = counter.row().filter(|row| row.is_measured() && row.adds_up == AddsUp::Sum)?;
    let total = place(counter).and_then(|place| TOTALS.get(place))?.load(Relaxed);
    // The kernel knows what the app's threads use for whomever.
    let of_threads = match counter {
        Counter::CpuMs => threads::of_app()?.cpu_ns,
        Counter::Switches => threads::of_app()?.switches,
        _ => 0,
    };
    Some(row.in_json(total + of_threads))
}

/// Totals by name, own counters included.
pub fn all() -> BTreeMap<&'static str, f64> {
    let counters = Counter::ALL.iter().copied().chain(own::all());
    counters.filter_map(|counter| Some((counter.name(), of(counter)?))).collect()
}
