//! Row of the table of cost counters: names, meaning and use of one counter.

/// Row of the table. Values are whole numbers inside: counts, nanoseconds, or billionths.
#[derive(Debug)]
pub struct Row {
    pub names: Names,
    pub unit: Unit,
    pub help: &'static str,
    pub adds_up: AddsUp,
    /// Upper bounds of the histogram's buckets, in the metric's unit; None without a histogram.
    pub buckets: Option<&'static [f64]>,
    pub timing: Option<Timing>,
    /// True if it is shown when it is zero, in `Server-Timing` and in the access line.
    pub is_always_shown: bool,
    /// True if only Linux gives it for one thread.
    pub is_linux_only: bool,
}

/// Public names of a counter.
#[derive(Debug)]
pub struct Names {
    /// Name as a trend of k6, without its unit.
    pub trend: &'static str,
    /// Name in lab.json, `/labs/{id}/measurements` and the access line.
    pub json: &'static str,
    /// Name of the histogram.
    pub metric: &'static str,
    /// Name of the span's attribute.
    pub attribute: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Count,
    /// Nanoseconds inside, milliseconds in JSON, seconds in metrics.
    Time,
    /// Billionths inside, 0 to 1 outside.
    Share,
}

/// Rule by which the values of one request become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddsUp {
    Sum,
    Greatest,
    /// Known only when the request ends.
    AtEnd,
}

/// Place in `Server-Timing`. Rows of one label that follow each other are one metric of the header.
#[derive(Debug)]
pub struct Timing {
    pub label: &'static str,
    /// Noun after the count, in the description; None for a duration.
    pub noun: Option<&'static str>,
}

impl Row {
    const fn new(names: Names, unit: Unit, help: &'static str) -> Self {
        Self {
            names,
            unit,
            help,
            adds_up: AddsUp::Sum,
            buckets: None,
            timing: None,
            is_always_shown: false,
            is_linux_only: false,
        }
    }

    pub(super) const fn count(names: Names, help: &'static str) -> Self {
        Self::new(names, Unit::Count, help)
    }

    pub(super) const fn time(names: Names, help: &'static str) -> Self {
        Self::new(names, Unit::Time, help)
    }

    pub(super) const fn share(names: Names, help: &'static str) -> Self {
        Self::new(names, Unit::Share, help)
    }

    pub(super) const fn greatest(self) -> Self {
        Self { adds_up: AddsUp::Greatest, ..self }
    }

    pub(super) const fn at_end(self) -> Self {
        Self { adds_up: AddsUp::AtEnd, ..self }
    }

    pub(super) const fn histogram(self, buckets: &'static [f64]) -> Self {
        Self { buckets: Some(buckets), ..self }
    }

    /// Duration of a metric of `Server-Timing`.
    pub(super) const fn timing(self, label: &'static str) -> Self {
        Self { timing: Some(Timing { label, noun: None }), ..self }
    }

    /// Count in the description of a metric of `Server-Timing`.
    pub(super) const fn described(self, label: &'static str, noun: &'static str) -> Self {
        Self { timing: Some(Timing { label, noun: Some(noun) }), ..self }
    }

    pub(super) const fn always(self) -> Self {
        Self { is_always_shown: true, ..self }
    }

    pub(super) const fn linux(self) -> Self {
        Self { is_linux_only: true, ..self }
    }

    /// True if this system can measure it.
    pub const fn is_measured(&self) -> bool {
        cfg!(target_os = "linux") || !self.is_linux_only
    }

    /// True if it counts pieces of work, and requests add up: not times, greatest values, or what
    /// the kernel counts of a thread.
    pub fn is_count_of_work(&self) -> bool {
        self.unit == Unit::Count && self.adds_up == AddsUp::Sum && !self.is_linux_only
    }

    /// True if a value is worth a place in a line for people.
    pub const fn shows(&self, value: u64) -> bool {
        self.is_measured() && (value > 0 || self.is_always_shown)
    }

    /// Value as in JSON: counts, milliseconds to the microsecond, or a share.
    pub fn in_json(&self, value: u64) -> f64 {
        match self.unit {
            Unit::Count => value as f64,
            Unit::Time => value as f64 / 1e6,
            Unit::Share => value as f64 / 1e9,
        }
    }

    /// Value in the unit of its metric.
    pub fn in_metric(&self, value: u64) -> f64 {
        match self.unit {
            Unit::Count => value as f64,
            Unit::Time | Unit::Share => value as f64 / 1e9,
        }
    }
}
