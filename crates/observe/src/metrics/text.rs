//! Histograms that the recorder does not hold, as Prometheus's text format has them.

use std::fmt::Write;

/// A histogram by name, of series that their labels tell apart.
pub struct Family {
    pub name: &'static str,
    help: &'static str,
    /// The upper bounds of its buckets but the last, which has none.
    pub bounds: &'static [f64],
    /// What is counted is whole; so many of it make one of the metric's unit.
    pub per_unit: f64,
}

impl Family {
    pub const fn counts(name: &'static str, help: &'static str, bounds: &'static [f64]) -> Self {
        Self { name, help, bounds, per_unit: 1.0 }
    }

    /// Counted in nanoseconds.
    pub const fn seconds(name: &'static str, help: &'static str, bounds: &'static [f64]) -> Self {
        Self { name, help, bounds, per_unit: 1e9 }
    }

    /// Once, before its series.
    pub fn push_head(&self, text: &mut String) {
        let Self { name, help, .. } = self;
        // Writing to a String can't fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} histogram");
    }

    /// One series. `buckets` are upper bounds, the last of them infinite, and what each bucket alone
    /// holds. Labels must have nothing that needs escaping.
    pub fn push_series(
        &self,
        text: &mut String,
        labels: &str,
        buckets: impl Iterator<Item = (f64, u64)>,
        sum: f64,
    ) {
        let name = self.name;
        let mut below = 0;
        for (bound, count) in buckets {
            below += count;
            let bound = if bound.is_finite() { bound.to_string() } else { "+Inf".to_owned() };
            let _ = writeln!(text, "{name}_bucket{{{labels},le=\"{bound}\"}} {below}");
        }
        let _ = writeln!(text, "{name}_sum{{{labels}}} {sum}\n{name}_count{{{labels}}} {below}");
    }
}
