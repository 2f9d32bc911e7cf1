//! Request cost as a `Server-Timing` header, which browsers draw in their network panel.
//!
//! Durations are milliseconds. A description starts with its count, for programs that read it.

use std::cell::RefCell;

use axum::http::{HeaderName, HeaderValue};

use super::{
    cost::{Cost, Counter, row::Timing},
    digits::{push_count, push_millis},
};

pub const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

thread_local! {
    /// Reused buffer of the text; the header takes a copy of just its size.
    static TEXT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Header of a cost, with the own counters of its route.
pub fn header(cost: &Cost, own: &[Counter]) -> HeaderValue {
    TEXT.with_borrow_mut(|text| {
        text.clear();
        write(text, cost, own);
        // The text is digits and fixed ASCII.
        HeaderValue::from_bytes(text).unwrap_or_else(|_| HeaderValue::from_static("total"))
    })
}

fn write(text: &mut Vec<u8>, cost: &Cost, own: &[Counter]) {
    let mut last = "";
    for (row, value) in cost.shown(own) {
        let Some(Timing { label, noun }) = row.timing else { continue };
        if label != last {
            if !text.is_empty() {
                text.extend_from_slice(b", ");
            }
            text.extend_from_slice(label.as_bytes());
            last = label;
        }
        match noun {
            None => {
                text.extend_from_slice(b";dur=");
                push_millis(text, value);
            }
            Some(noun) => {
                text.extend_from_slice(b";desc=\"");
                push_count(text, value);
                text.push(b' ');
                text.extend_from_slice(noun.as_bytes());
                text.push(b'"');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_lead_their_descriptions_and_times_are_milliseconds() {
        let cost = Cost::of([
            (Counter::ElapsedMs, 2_012_345_678),
            (Counter::BusyMs, 2_000_000_000),
            (Counter::CpuMs, 4_000_000),
            (Counter::OffCpuMs, 1_996_000_000),
            (Counter::Switches, 117),
            (Counter::Polls, 203),
            (Counter::LongestPollMs, 20_300_000),
            (Counter::Queries, 101),
            (Counter::Rows, 200),
            (Counter::Commits, 1),
            (Counter::DbMs, 31_200_000),
        ]);
        insta::assert_snapshot!(header(&cost, &[]).to_str().unwrap(), @r#"total;dur=2012.345, busy;dur=2000.000, cpu;dur=4.000, off-cpu;dur=1996.000, switches;desc="117 switches", poll;dur=20.300;desc="203 polls, longest", db;dur=31.200;desc="101 queries", rows;desc="200 rows", commits;desc="1 commits""#);
    }
}
