//! Known numbers that measured ones look like: those of slow, or of a wrong fix. A refusal that
//! says so points at the page where the same mistake is explained.

use std::collections::BTreeMap;

use super::counters;
use crate::evidence::{Evidence, Range};
use observe::{cost::Counter, measurements::Summary};

/// Says whose numbers these are, if any view of them is in every range of slow or of a wrong fix.
pub fn of(evidence: &Evidence, views: &[Summary]) -> Option<String> {
    let is_in = |ranges: &BTreeMap<Counter, Range>| {
        views.iter().any(|view| counters(ranges, view).is_empty())
    };
    // Slow has the most ranges; what is in all of them is in those of many a wrong fix too.
    if is_in(&evidence.evidence.slow.counters) {
        return Some("these look like the numbers of slow".to_owned());
    }
    let fixes = evidence.wrong_fixes.iter().filter(|fix| is_in(&fix.refuted_by));
    let names: Vec<_> = fixes.map(|fix| fix.name.as_str()).collect();
    match names.as_slice() {
        [] => None,
        [name] => Some(format!("these look like the numbers of the wrong fix {name}")),
        names => {
            Some(format!("these look like the numbers of the wrong fixes {}", names.join(", ")))
        }
    }
}
