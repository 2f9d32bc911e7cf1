//! The server: two runtimes, two ports, the routes of ops, and the command line.

use observe::Program;

/// The command line.
pub mod cli;
/// `/` on the app port.
mod front;
/// Start and stop of the two runtimes and their ports.
pub mod lifecycle;
/// The second port: metrics, profiles, lab pages.
mod ops;
/// The URL space of the app port.
mod router;

/// This program, as log, metrics and traces name it.
pub const PROGRAM: Program = Program {
    name: "chokepoint",
    version: env!("CARGO_PKG_VERSION"),
    targets: &["chokepoint", "access", "migrations"],
    metrics: product::metrics::ALL,
};
