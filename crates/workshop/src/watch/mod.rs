//! `watch`: builds yours.rs on each save, asks it once, and says whether its counts are right.
//!
//! The next state (`state`), the screen of it (`screen`) and the verdict (`grade`) are pure, so that
//! they can be tested without a terminal or a compiler; the other parts do the work.

/// One request to a variant, and what it cost.
mod ask;
/// The compiler, and what it says.
mod build;
/// Events, and what may follow from them.
mod event;
/// Verdict on a request to yours.
mod grade;
/// The work between two events: build, grade, prove.
mod jobs;
/// Demands of a whole proof beyond one request.
mod proof;
/// The loop: events in, screens out.
mod run;
/// A lab for the tests.
#[cfg(test)]
mod sample;
/// Saved files of a lab's folder.
mod saves;
/// The screen, as lines of text.
mod screen;
/// States and what leads from one to the next.
mod state;

pub use event::{Event, Key};
pub use jobs::Options;
pub use run::run;
pub use screen::{Line, Tone};
pub use state::Watch;
