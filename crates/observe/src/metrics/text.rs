//! Histograms that the recorder does not hold, in Prometheus's text format.

use std::fmt::Write;

/// Histogram of one name, with a series for each set of labels.
pub struct Family {
    pub name: &'static str,
    help: &'static str,
    /// Upper bounds of its buckets, without the last, which is infinite.
    pub bounds: &'static [f64],
    /// Counted whole units, such as nanoseconds, in one unit of the metric.
    pub per_unit: f64,
}

impl Family {
    pub const fn counts(name: &'static str, help: &'static str, bounds: &'static [f64]) -> Self {
        Self { name, help, bounds, per_unit: 1.0 }
    }

    /// Histogram of seconds that is counted in nanoseconds.
    pub const fn seconds(name: &'static str, help: &'static str, bounds: &'static [f64]) -> Self {
        Self { name, help, bounds, per_unit: 1e9 }
    }

    /// Appends the head. Call it once, before the series.
    pub fn push_head(&self, text: &mut String) {
        let Self { name, help, .. } = self;
        // Writing to a String can't fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} histogram");
    }

    /// Appends one series. `buckets` are upper bounds, the last infinite, with the count of each
    /// bucket alone. Labels must have nothing that needs escaping.
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
