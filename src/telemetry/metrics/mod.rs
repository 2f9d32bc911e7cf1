//! The recorder that holds every metric, and what it renders.

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_process::Collector;

use super::logs::DroppedLines;

/// Every metric.
pub mod names;
/// What the recorder does not hold, as text.
pub mod text;

struct Metric {
    name: &'static str,
    kind: Kind,
    help: &'static str,
}

enum Kind {
    Counter,
    Gauge,
    /// With the upper bounds of its buckets.
    Histogram(&'static [f64]),
}

/// The recorder of this process, and what is read only when somebody scrapes.
pub struct Metrics {
    recorder: PrometheusHandle,
    process: Collector,
    dropped_lines: DroppedLines,
}

impl Metrics {
    /// Installs the process-wide recorder; to be called once.
    ///
    /// # Panics
    /// If the process has a recorder already, or a histogram has no buckets.
    #[expect(clippy::expect_used, reason = "both are mistakes in this program, found at start")]
    pub fn init(dropped_lines: DroppedLines) -> Self {
        let recorder = recorder().expect("histograms have buckets, and the recorder is the first");
        for Metric { name, kind, help } in names::ALL {
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
            "version" => env!("CARGO_PKG_VERSION"),
            "profile" => if cfg!(debug_assertions) { "debug" } else { "release" },
            "arch" => std::env::consts::ARCH,
            "os" => std::env::consts::OS,
        )
        .set(1.0);
        Self { recorder, process, dropped_lines }
    }

    /// The Prometheus text format. `histograms` are those that the recorder does not hold.
    pub fn render(&self, histograms: &str) -> String {
        self.process.collect();
        counter!(names::LOG_LINES_DROPPED).absolute(self.dropped_lines.count());
        let mut text = self.recorder.render();
        text.push_str(histograms);
        text
    }

    /// Folds recorded samples into buckets; without it they pile up until somebody scrapes.
    pub fn upkeep(&self) {
        self.recorder.run_upkeep();
    }
}

fn recorder() -> Result<PrometheusHandle, BuildError> {
    let mut builder = PrometheusBuilder::new();
    for Metric { name, kind, .. } in names::ALL {
        if let Kind::Histogram(buckets) = kind {
            builder = builder.set_buckets_for_metric(Matcher::Full((*name).to_owned()), buckets)?;
        }
    }
    builder.install_recorder()
}
