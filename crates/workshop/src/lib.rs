//! Makes a bottleneck a lesson: a lab, its evidence, and the commands that prove it.

/// Routes of labs, as OpenAPI describes them.
mod described;
/// lab.json: what it may say, and what it must.
pub mod evidence;
/// Slow against fast of one lab as flame graphs.
pub mod flame;
/// Comparison of measured numbers with lab.json.
pub mod judge;
/// A lab, its variants and all labs.
pub mod lab;
/// Proves that each lab shows its symptom, and that its fix removes it.
pub mod prove;
/// Loads log ingest, and reads back what it acknowledged.
pub mod stress;

pub use lab::{BadLab, Handlers, Lab, Labs, LoadedLab};
