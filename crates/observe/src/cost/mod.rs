//! Cost of a finished request: its numbers, and their public names.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _, ser::SerializeMap};

/// Counters of the program itself.
pub mod own;
/// Row of the table.
pub mod row;
/// Table of the counters.
mod table;

use own::OWN_OF_ROUTE;
use row::{Row, Unit};
pub use table::Counter;

/// The status of a request whose client went away before the answer, as nginx logs it.
pub const CLIENT_CLOSED_REQUEST: u16 = 499;

/// Numbers of one request: those of the table, and the own ones of its route.
pub(crate) const LEN: usize = Counter::ALL.len() + OWN_OF_ROUTE;

/// Cost of one poll.
#[derive(Debug)]
pub struct PollCost {
    pub wall: Duration,
    pub cpu: Duration,
    pub switches: u64,
    pub allocated: u64,
}

/// Cost of one finished request.
#[derive(Clone, Copy, Debug)]
pub struct Cost(pub(crate) [u64; LEN]);

impl Default for Cost {
    fn default() -> Self {
        Self([0; LEN])
    }
}

impl Cost {
    /// Value of a counter as it is counted: a count, nanoseconds, or billionths.
    pub fn value(&self, counter: Counter) -> u64 {
        counter.place().map_or(0, |place| self.0[place])
    }

    /// Value of a counter as in JSON.
    pub fn get(&self, counter: Counter) -> f64 {
        counter.row().map_or(0.0, |row| row.in_json(self.value(counter)))
    }

    pub(crate) fn set(&mut self, counter: Counter, value: u64) {
        if let Some(place) = counter.place() {
            self.0[place] = value;
        }
    }

    /// Cost with these values, and zero for all others.
    pub fn of(values: impl IntoIterator<Item = (Counter, u64)>) -> Self {
        let mut cost = Self::default();
        for (counter, value) in values {
            cost.set(counter, value);
        }
        cost
    }

    /// Rows worth showing, each with its value: of the table, then those of `own`.
    pub fn shown(&self, own: &[Counter]) -> impl Iterator<Item = (&'static Row, u64)> {
        let own = own.iter().filter_map(|counter| Some((counter.row()?, self.value(*counter))));
        let all = Counter::ROWS.iter().zip(self.0).chain(own);
        all.filter(|(row, value)| row.shows(*value))
    }
}

impl Counter {
    /// Row of the table; None for a number that nobody registered.
    pub fn row(self) -> Option<&'static Row> {
        match (self.index(), self) {
            (Some(index), _) => Self::ROWS.get(index),
            (None, Self::Own(number)) => own::row(number),
            (None, _) => None,
        }
    }

    /// Name as in lab.json and `/labs/{id}/measurements`.
    pub fn name(self) -> &'static str {
        self.row().map_or("unknown", |row| row.names.json)
    }

    /// True if this system can measure it: thread usage is read on Linux only.
    pub fn is_measured(self) -> bool {
        self.row().is_some_and(Row::is_measured)
    }

    /// Place in the record of a request.
    #[inline]
    pub(crate) fn place(self) -> Option<usize> {
        match (self.index(), self) {
            (Some(index), _) => Some(index),
            (None, Self::Own(number)) => own::slot(number).map(|slot| Self::ALL.len() + slot),
            (None, _) => None,
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|counter| counter.name() == name)
            .or_else(|| own::named(name))
    }
}

impl Serialize for Counter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Counter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::named(&name).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|counter| counter.name()).collect();
            D::Error::custom(format!("no counter {name:?}; there are {}", known.join(", ")))
        })
    }
}

/// Numbers of a cost as a JSON object, by name: those of the table that are worth showing.
pub struct CostOut<'a> {
    pub cost: &'a Cost,
    /// Own counters of the request's route.
    pub own: &'a [Counter],
}

impl Serialize for CostOut<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (row, value) in self.cost.shown(self.own) {
            match row.unit {
                Unit::Count => map.serialize_entry(row.names.json, &value)?,
                // To the microsecond: more digits would be noise.
                Unit::Time => {
                    map.serialize_entry(row.names.json, &((value / 1_000) as f64 / 1e3))?
                }
                Unit::Share => map.serialize_entry(row.names.json, &row.in_json(value))?,
            }
        }
        map.end()
    }
}
