//! Chokepoint: an instrumented teaching server with deliberate bottlenecks.
//!
//! This crate is the stage: the labs, which a learner reads and edits. It is the last one of the
//! workspace, so that an edit rebuilds nothing else. Behind it, in `crates`:
//!
//! - `observe` watches an axum service: request cost, metrics, logs, traces, profiles.
//! - `product` is watched: accounts, todos, posts, log ingest, on a database and a cache.
//! - `workshop` makes a bottleneck a lesson: lab.json, `prove`, `flame`, `stress`.
//! - `server` has two runtimes, two ports and the command line.
//!
//! Data flows one way: a request enters through `observe::http`, passes `product::edge` and goes to
//! a route of the product or of a lab; the ops port reads what was recorded.

/// The bottlenecks, each beside its fix.
pub mod labs;
