//! Recorder of every metric, and its Prometheus text.

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_process::Collector;

use crate::Program;

/// Every metric of this crate.
pub mod names;
/// Text of histograms that the recorder does not hold.
pub mod text;

/// Defines a constant for the name of each metric, and `ALL`, a list of them: name, kind with
/// buckets, help.
#[macro_export]
macro_rules! define_metrics {
    ($($constant:ident: $kind:expr, $name:expr, $help:literal;)*) => {
        $(#[doc = $help] pub const $constant: &str = $name;)*
        /// Every metric of this table.
        pub const ALL: &[$crate::metrics::Metric] = &[$(
            $crate::metrics::Metric { name: $constant, kind: $kind, help: $help }
        ),*];
    };
}

/// Buckets of request times, in seconds: 1 ms to 10 s, and a blocked worker beyond.
pub const REQUEST_SECONDS: &[f64] =
    &[0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0];
/// Buckets of polls and waits, in seconds: from good (tens of µs) to a bug (tens of ms and more).
pub const SHORT_SECONDS: &[f64] =
    &[0.00001, 0.0001, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 2.0, 10.0];
/// Buckets of counts.
pub const COUNTS: &[f64] = &[0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0];

/// One metric, a line of `define_metrics!`.
#[derive(Debug)]
pub struct Metric {
    pub name: &'static str,
    pub kind: Kind,
    pub help: &'static str,
}

#[derive(Debug)]
pub enum Kind {
    Counter,
    Gauge,
    /// Histogram with the upper bounds of its buckets.
    Histogram(&'static [f64]),
}

/// Recorder of this process, and the sources that are read only at a scrape.
pub struct Metrics {
    recorder: PrometheusHandle,
    process: Collector,
    dropped_lines: Box<dyn Fn() -> u64 + Send + Sync>,
}

impl Metrics {
    /// Installs the recorder of the process. Call it once.
    ///
    /// # Panics
    /// Panics if the process has a recorder already, or a histogram has no buckets.
    #[expect(clippy::expect_used, reason = "both are mistakes in this program, found at start")]
    pub fn init(
        program: &Program,
        dropped_lines: impl Fn() -> u64 + Send + Sync + 'static,
    ) -> Self {
        let recorder =
            recorder(program).expect("histograms have buckets, and the recorder is the first");
        for Metric { name, kind, help } in all(program) {
            match kind {
                Kind::Counter => describe_counter!(*name, Unit::Count, *help),
                Kind::Gauge => describe_gauge!(*name, *help),
                Kind::Histogram(_) => describe_histogram!(*name, *help),
            }
        }
        let process = Collector::default();
        process.describe();
        gauge!(
            names::BUILD_INFO,
            "version" => program.version,
            "profile" => if cfg!(debug_assertions) { "debug" } else { "release" },
            "arch" => std::env::consts::ARCH,
            "os" => std::env::consts::OS,
        )
        .set(1.0);
        Self { recorder, process, dropped_lines: Box::new(dropped_lines) }
    }

    /// Renders the Prometheus text format. `histograms` are those that the recorder does not hold.
    pub fn render(&self, histograms: &str) -> String {
        self.process.collect();
        counter!(names::LOG_LINES_DROPPED).absolute((self.dropped_lines)());
        let mut text = self.recorder.render();
        text.push_str(histograms);
        text
    }

    /// Folds recorded samples into buckets; without it they pile up until the next scrape.
    pub fn upkeep(&self) {
        self.recorder.run_upkeep();
    }
}

fn all(program: &Program) -> impl Iterator<Item = &'static Metric> {
    names::ALL.iter().chain(program.metrics)
}

fn recorder(program: &Program) -> Result<PrometheusHandle, BuildError> {
    let mut builder = PrometheusBuilder::new();
    for Metric { name, kind, .. } in all(program) {
        if let Kind::Histogram(buckets) = kind {
            builder = builder.set_buckets_for_metric(Matcher::Full((*name).to_owned()), buckets)?;
        }
    }
    builder.install_recorder()
}
