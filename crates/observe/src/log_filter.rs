//! Log filter: as configured at the start, or as changed since then for a while.
//!
//! tracing caches the filter's answer for each place in the code. A change must clear that cache,
//! and the filter costs a request nothing.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use tracing::{Level, Metadata, callsite::rebuild_interest_cache, level_filters::LevelFilter};
use tracing_subscriber::filter::Targets;

/// Most verbose level of libraries: below it some log the data they send, passwords too.
const OF_LIBRARIES: Level = Level::DEBUG;

/// Target prefix of OpenTelemetry's own lines, one for each failed export. They are hidden unless
/// the filter names them: this crate counts lost spans and reports them once a minute.
const OPENTELEMETRY: &str = "opentelemetry";

/// Decides which events are logged. All clones share one state.
#[derive(Clone)]
pub struct LogFilter {
    at_start: Arc<Targets>,
    now: Arc<RwLock<Now>>,
    /// Prefixes of the targets of this program, whose events hold no secrets.
    ours: &'static [&'static str],
}

struct Now {
    targets: Targets,
    /// Number of the last change, so that a late restoration does not undo the next change.
    change: u64,
    until: Option<SystemTime>,
}

/// Current filter, and its end.
pub struct State {
    pub filter: String,
    pub at_start: String,
    /// None while the filter is the one of the start.
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

    /// Sets a filter for `time`. Call it on the runtime that restores the filter of the start.
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

    /// Returns the number of this change; None, without a change, if `after` is not the last.
    fn set(&self, targets: Targets, until: Option<SystemTime>, after: Option<u64>) -> Option<u64> {
        let mut now = self.now.write().unwrap_or_else(PoisonError::into_inner);
        if after.is_some_and(|after| after != now.change) {
            return None;
        }
        let change = now.change + 1;
        *now = Now { targets, change, until };
        // The rebuild reads this filter.
        drop(now);
        rebuild_interest_cache();
        Some(change)
    }

    /// True if an event is logged.
    pub fn shows(&self, metadata: &Metadata<'_>) -> bool {
        let (target, level) = (metadata.target(), metadata.level());
        // Readers of the log must see that its filter changed.
        if target == module_path!() {
            return self.at_start.would_enable(target, level);
        }
        let now = self.now.read().unwrap_or_else(PoisonError::into_inner);
        let is_quiet = target.starts_with(OPENTELEMETRY)
            && !now.targets.iter().any(|(configured, _)| configured.starts_with(OPENTELEMETRY));
        !is_quiet
            && (self.is_ours(metadata) || *level <= OF_LIBRARIES)
            && now.targets.would_enable(target, level)
    }

    /// True if a span or an event belongs to this program.
    pub fn is_ours(&self, metadata: &Metadata<'_>) -> bool {
        let is_of = |ours: &&str| {
            let rest = metadata.target().strip_prefix(ours);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '_']))
        };
        self.ours.iter().any(is_of)
    }

    /// Most verbose level of the current filter and of the one of the start.
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
