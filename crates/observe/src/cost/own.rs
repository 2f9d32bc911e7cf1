//! Counters that the observed program adds to the table, such as those of a lab.

use std::sync::{OnceLock, PoisonError, RwLock};

use super::{
    Counter,
    row::{Names, Row},
};

/// Most own counters of one route.
pub const OWN_OF_ROUTE: usize = 4;

/// Counter of the program, a `static`. It counts once it is registered.
///
/// ```
/// use chokepoint_observe::cost::own::{OwnCounter, register};
///
/// static LOADS: OwnCounter = OwnCounter::new("loads", "Loads of the expired key.");
/// let counters = register(&[&LOADS]).unwrap();
/// LOADS.add(1);
/// assert_eq!(counters[0].name(), "loads");
/// ```
#[derive(Debug)]
pub struct OwnCounter {
    row: Row,
    registered: OnceLock<Counter>,
}

/// Registered counters, each with its slot in the record of a request.
static REGISTRY: RwLock<Vec<(&'static OwnCounter, usize)>> = RwLock::new(Vec::new());

impl OwnCounter {
    /// Creates a counter. `name` is its name everywhere, in snake case.
    pub const fn new(name: &'static str, help: &'static str) -> Self {
        let names = Names { trend: name, json: name, metric: name, attribute: name };
        let row = Row::count(names, help).described(name, name);
        Self { row, registered: OnceLock::new() }
    }

    pub const fn name(&self) -> &'static str {
        self.row.names.json
    }

    /// Its place among the counters; None if it is not registered.
    pub(crate) fn counter(&self) -> Option<Counter> {
        self.registered.get().copied()
    }

    fn register(&'static self, slot: usize) -> Result<Counter, String> {
        // Held from the first look to the end: another thread may register it as well. A panic while
        // the lock was held leaves a list that is whole.
        let mut registry = REGISTRY.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(registered) = self.registered.get() {
            return Ok(*registered);
        }
        let name = self.name();
        let of_table = Counter::ALL.iter().map(|counter| counter.name());
        if of_table.chain(registry.iter().map(|(own, _)| own.name())).any(|taken| taken == name) {
            return Err(format!("there is a counter {name:?} already"));
        }
        let number = u8::try_from(registry.len()).map_err(|_| "too many counters".to_owned())?;
        registry.push((self, slot));
        Ok(*self.registered.get_or_init(|| Counter::Own(number)))
    }
}

/// Registers the own counters of one group of routes, such as a lab's: each request of them has a
/// slot for each. A counter that is registered already keeps its place.
///
/// # Errors
/// Returns one line if there are more than a request has slots, a name is taken, or two of them have
/// the same slot among other counters.
pub fn register(counters: &[&'static OwnCounter]) -> Result<Vec<Counter>, String> {
    if counters.len() > OWN_OF_ROUTE {
        return Err(format!("{} counters are more than {OWN_OF_ROUTE}", counters.len()));
    }
    let placed: Vec<_> = counters
        .iter()
        .enumerate()
        .map(|(slot, counter)| counter.register(slot))
        .collect::<Result<_, String>>()?;
    let mut taken = [None; OWN_OF_ROUTE];
    for counter in &placed {
        let (Counter::Own(number), name) = (*counter, counter.name()) else { continue };
        let place = slot(number).and_then(|slot| taken.get_mut(slot));
        if let Some(other) = place.and_then(|place| place.replace(name)) {
            return Err(format!(
                "the counters {other:?} and {name:?} have the same place; list them in the order \
                 in which other routes have them"
            ));
        }
    }
    Ok(placed)
}

fn registered(number: u8) -> Option<(&'static OwnCounter, usize)> {
    REGISTRY.read().unwrap_or_else(PoisonError::into_inner).get(usize::from(number)).copied()
}

pub(super) fn slot(number: u8) -> Option<usize> {
    registered(number).map(|(_, slot)| slot)
}

pub(super) fn row(number: u8) -> Option<&'static Row> {
    registered(number).map(|(counter, _)| &counter.row)
}

/// Own counter of that name.
pub(super) fn named(name: &str) -> Option<Counter> {
    let registry = REGISTRY.read().unwrap_or_else(PoisonError::into_inner);
    let number = registry.iter().position(|(counter, _)| counter.row.names.json == name)?;
    u8::try_from(number).ok().map(Counter::Own)
}

/// Every own counter.
pub(crate) fn all() -> Vec<Counter> {
    let registered = REGISTRY.read().unwrap_or_else(PoisonError::into_inner).len();
    (0..registered).filter_map(|number| u8::try_from(number).ok().map(Counter::Own)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_of_one_route_have_places_of_their_own() {
        static FIRST: OwnCounter = OwnCounter::new("test_first", "The first.");
        static SECOND: OwnCounter = OwnCounter::new("test_second", "The second.");
        static THIRD: OwnCounter = OwnCounter::new("test_third", "The third.");
        let counters = register(&[&FIRST, &SECOND]).unwrap();
        assert_eq!(register(&[&FIRST, &SECOND]).unwrap(), counters);
        // It keeps the second place, which the other would have too.
        let error = register(&[&SECOND, &THIRD]).unwrap_err();
        assert!(error.starts_with("the counters \"test_second\" and \"test_third\""), "{error}");
        assert_eq!(register(&[&FIRST, &THIRD]).unwrap().len(), 2);
    }

    #[test]
    fn a_counter_that_many_register_at_once_is_the_same_for_all() {
        static SHARED: OwnCounter = OwnCounter::new("test_shared", "Of many.");
        let start = std::sync::Barrier::new(8);
        let registered = std::thread::scope(|scope| {
            let begin = || {
                start.wait();
                register(&[&SHARED])
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(begin)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        let first = registered[0].clone().unwrap();
        assert!(
            registered.iter().all(|counters| counters.as_ref() == Ok(&first)),
            "{registered:?}"
        );
    }
}
