//! Recorder of every metric, and its Prometheus text.

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_process::Collector;

use crate::{Program, cost::Counter};

/// Every metric of this crate.
pub mod names;

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
        for row in Counter::ALL.iter().filter_map(|counter| counter.row()) {
            if row.buckets.is_some() {
                describe_histogram!(row.names.metric, row.help);
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

    /// Renders the Prometheus text format. `polls` are tokio's histograms, which the recorder does not
    /// hold.
    pub fn render(&self, polls: &str) -> String {
        self.process.collect();
        counter!(names::LOG_LINES_DROPPED).absolute((self.dropped_lines)());
        let mut text = self.recorder.render();
        text.push_str(polls);
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
    for row in Counter::ALL.iter().filter_map(|counter| counter.row()) {
        if let Some(buckets) = row.buckets {
            let name = Matcher::Full(row.names.metric.to_owned());
            builder = builder.set_buckets_for_metric(name, buckets)?;
        }
    }
    builder.install_recorder()
}
