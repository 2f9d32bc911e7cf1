//! Chokepoint: an instrumented teaching server with deliberate bottlenecks.
//!
//! This crate lists the labs, which a learner reads and edits. They are in `src/labs`, a crate for
//! each area, and the last of the build, so that an edit compiles one area alone. The others are in
//! `crates`:
//!
//! - `observe` observes an axum service: request cost, metrics, logs, traces, profiles.
//! - `product` is the observed product: accounts, todos, posts, log ingest, database and cache.
//! - `workshop` makes a bottleneck a lesson: lab.json, `prove`, `watch`, `flame`, `stress`.
//! - `server` has two runtimes, two ports and the command line.
//!
//! Data flows one way: a request enters through `observe::http`, passes `product::edge` and reaches
//! a route of the product or of a lab; the ops port reads the records.

/// The list of all labs.
pub mod labs;
