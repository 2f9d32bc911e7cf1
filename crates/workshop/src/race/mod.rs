//! A race: two variants of a lab under the same load, live. It runs on one thread with a runtime of
//! its own and sends over loopback, so that app and ops lose nothing but its share of a core.

/// The record of one race, and its news.
mod book;
/// Profiles of a lane.
mod captures;
/// The end of a lane.
mod close;
/// The course of a race.
mod conductor;
/// The record at the start.
mod first;
/// Followers of a lab's races.
mod follow;
/// One lane on the generator's thread.
mod lane;
/// The two loads: visitors, and requests at a rate.
mod loads;
/// The generator's own record of a lane.
mod log;
/// A product endpoint that is asked meanwhile.
mod neighbour;
/// What a race is to do.
mod plan;
/// Before a lane.
mod prepare;
/// The races of this process.
mod races;
/// The race as clients see it.
mod record;
/// What k6 measures of each answer.
mod samples;
/// Percentiles.
mod statistics;
/// Thresholds of a gate.
mod thresholds;
/// Ticks, four a second.
mod ticks;
/// Verdict of a gate.
mod verdict;

pub use book::Race;
pub use follow::{Follower, Message};
pub use plan::{MOST_SECONDS, MOST_VISITORS, Mode, Plan, Refused, Wish};
pub use races::{NotNow, Races, Surroundings};
pub use record::{LaneOut, RaceOut, State};
