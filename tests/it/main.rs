//! One binary for all integration tests: it links once.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod support;

/// What a request cost, and where that is told.
mod budget;
/// The folders of the labs are complete and alike.
mod catalogue;
/// The program as a person starts it.
mod command_line;
/// Every failure has its answer.
mod errors;
/// The labs answer alike, and their numbers differ as their evidence says.
mod labs;
/// What Prometheus scrapes.
mod metrics;
/// The ops port, above all while the app is held.
mod ops;
/// A proof that can't hold does not.
mod prove;
