//! Makes a bottleneck a lesson: a lab, its evidence, and the commands that prove it.

/// OpenAPI description of the labs' routes.
mod described;
/// lab.json: its fields and its rules.
pub mod evidence;
/// Flame graphs of one lab's slow and fast.
pub mod flame;
/// Comparison of measurements with lab.json.
pub mod judge;
/// A lab, its variants and all labs.
pub mod lab;
/// Metrics of what labs run beside the app.
pub mod metrics;
/// Finds a lab by its id, and suggests the nearest.
mod named;
/// Makes the files of a new lab.
pub mod new_lab;
/// A pool of a wrong fix's own.
pub mod own_pool;
/// Password checks of labs.
pub mod password;
/// Progress of a learner, and yours.rs at its start.
pub mod progress;
/// Proves that each lab shows its symptom, and that its fix removes it.
pub mod prove;
/// Races two variants of a lab, live.
pub mod race;
/// A lab's request, built from lab.json.
pub mod request;
/// Signed session of a virtual user.
pub mod session;
/// Loads log ingest, and reads back the acknowledged lines.
pub mod stress;
/// Runtimes for work that may never come back.
pub mod throw_away;
/// The second service, which labs call over HTTP.
pub mod upstream;
/// Builds and grades yours.rs on each save.
pub mod watch;

pub use lab::{BadLab, Data, Handlers, Lab, Labs, LoadedLab, Schema};
