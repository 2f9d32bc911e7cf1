//! Metrics of what labs run beside the app: name, help text.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use observe::metrics::{
    Kind::{self, Counter, Gauge},
    Metric,
};

observe::define_metrics! {
    // The upstream.
    UPSTREAM_REQUESTS: Counter, "chokepoint_upstream_requests_total",
        "Requests that the labs' upstream received, by the lab and the variant that sent them.";
    UPSTREAM_CONNECTIONS: Counter, "chokepoint_upstream_connections_total",
        "Connections on which the labs' upstream received requests, by lab and variant.";
    UPSTREAM_IN_FLIGHT: Gauge, "chokepoint_upstream_requests_in_flight",
        "Requests that the labs' upstream has not answered yet, by lab and variant.";
    UPSTREAM_MAILS: Counter, "chokepoint_upstream_mails_total",
        "Mails that the labs' upstream took, by lab and variant.";

    // Throw-away runtimes.
    THROW_AWAY_THREADS: Gauge, "chokepoint_throw_away_threads",
        "Threads of throw-away runtimes, by state: in_use, or stuck where they outlive their \
         runtime.";
}

/// Describes them to the recorder of the process.
pub fn describe() {
    for Metric { name, kind, help } in ALL {
        match kind {
            Kind::Counter => describe_counter!(*name, Unit::Count, *help),
            Kind::Gauge => describe_gauge!(*name, *help),
            Kind::Histogram(_) => describe_histogram!(*name, *help),
        }
    }
}
