//! The server: two runtimes, two ports, the routes of ops, and the command line.

use observe::Program;

/// The command line.
pub mod cli;
/// The front end, `/` on the app port.
mod front;
/// Start and stop of the two runtimes and their ports.
pub mod lifecycle;
/// The ops port: metrics, profiles, lab pages.
mod ops;
/// The URL space of the app port.
mod router;
/// Files of the folder `web`, as answers.
mod web;

/// Name and version of this program for log, metrics and traces.
pub const PROGRAM: Program = Program {
    name: "chokepoint",
    version: env!("CARGO_PKG_VERSION"),
    targets: &["chokepoint", "access", "migrations"],
    metrics: product::metrics::ALL,
};
