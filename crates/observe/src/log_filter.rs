//! What is logged: as the program was told at its start, or as somebody said since, for a while.
//!
//! tracing asks a filter about a place in the code once and remembers the answer, so a change has to
//! make it ask again, and costs a request nothing.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use tracing::{Level, Metadata, callsite::rebuild_interest_cache, level_filters::LevelFilter};
use tracing_subscriber::filter::Targets;

/// The most that libraries may say: below that some print what they send and receive, passwords too.
const OF_LIBRARIES: Level = Level::DEBUG;

/// OpenTelemetry's own lines would come with each failed export. What is lost is counted, and said once
/// a minute by ourselves; who wants the lines all the same asks for them by name.
const OPENTELEMETRY: &str = "opentelemetry";

/// Whether an event is logged. All copies are one.
#[derive(Clone)]
pub struct LogFilter {
    at_start: Arc<Targets>,
    now: Arc<RwLock<Now>>,
    /// Beginnings of the targets of this program. Whoever wrote an event of theirs took care that it
    /// holds no secret.
    ours: &'static [&'static str],
}

struct Now {
    targets: Targets,
    /// Grows with each change, so that a restoration that comes late does not undo the next one.
    change: u64,
    until: Option<SystemTime>,
}

/// What is logged, and until when.
pub struct State {
    pub filter: String,
    pub at_start: String,
    /// None while it is that of the start.
    pub until: Option<SystemTime>,
}

impl LogFilter {
    pub fn new(at_start: Targets, ours: &'static [&'static str]) -> Self {
        let now = Now { targets: at_start.clone(), change: 0, until: None };
        Self { at_start: Arc::new(at_start), now: Arc::new(RwLock::new(now)), ours }
    }

    pub fn state(&self) -> State {
        let now = self.now.read().unwrap_or_else(PoisonError::into_inner);
        let (filter, at_start) = (now.targets.to_string(), self.at_start.to_string());
        State { filter, at_start, until: now.until }
    }

    /// Puts a filter in place for so long. To be called on the runtime that is to restore it.
    pub fn replace(&self, targets: Targets, time: Duration) {
        tracing::info!(filter = %targets, seconds = time.as_secs(), "the log filter is changed");
        let change = self.set(targets, Some(SystemTime::now() + time), None);
        let filter = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(time).await;
            let at_start = (*filter.at_start).clone();
            if filter.set(at_start, None, change).is_some() {
                tracing::info!(filter = %filter.at_start, "the log filter is restored");
            }
        });
    }

    /// The number of this change; None, and nothing done, if `after` is given and is not the last one.
    fn set(&self, targets: Targets, until: Option<SystemTime>, after: Option<u64>) -> Option<u64> {
        let mut now = self.now.write().unwrap_or_else(PoisonError::into_inner);
        if after.is_some_and(|after| after != now.change) {
            return None;
        }
        let change = now.change + 1;
        *now = Now { targets, change, until };
        // It asks this filter.
        drop(now);
        rebuild_interest_cache();
        Some(change)
    }

    /// Whether an event is logged.
    pub fn shows(&self, metadata: &Metadata<'_>) -> bool {
        let (target, level) = (metadata.target(), metadata.level());
        // Who reads the log must see that it was changed.
        if target == module_path!() {
            return self.at_start.would_enable(target, level);
        }
        let now = self.now.read().unwrap_or_else(PoisonError::into_inner);
        let is_quiet = target.starts_with(OPENTELEMETRY)
            && !now.targets.iter().any(|(asked, _)| asked.starts_with(OPENTELEMETRY));
        !is_quiet
            && (self.is_ours(metadata) || *level <= OF_LIBRARIES)
            && now.targets.would_enable(target, level)
    }

    /// Whether a span or an event is of this program.
    pub fn is_ours(&self, metadata: &Metadata<'_>) -> bool {
        let is_of = |ours: &&str| {
            let rest = metadata.target().strip_prefix(ours);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '_']))
        };
        self.ours.iter().any(is_of)
    }

    /// Anything more verbose needs not be asked about.
    pub fn most_verbose(&self) -> LevelFilter {
        let now = self.now.read().unwrap_or_else(PoisonError::into_inner);
        let of = |targets: &Targets| {
            let levels = targets.iter().map(|(_, level)| level);
            levels.chain(targets.default_level()).max().unwrap_or(LevelFilter::OFF)
        };
        of(&now.targets).max(of(&self.at_start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restoration_that_comes_late_does_not_undo_the_next_change() {
        let targets = |text: &str| text.parse::<Targets>().unwrap();
        let filter = LogFilter::new(targets("info"), &[]);
        let first = filter.set(targets("debug"), Some(SystemTime::now()), None);
        let second = filter.set(targets("trace"), Some(SystemTime::now()), None);
        assert_eq!(filter.set(targets("info"), None, first), None);
        assert_eq!(filter.state().filter, "trace");
        assert!(filter.state().until.is_some());
        assert!(filter.set(targets("info"), None, second).is_some());
        assert_eq!((filter.state().filter, filter.state().until), ("info".to_owned(), None));
    }
}
