//! Lab variants give the same answer with different numbers, as their evidence demands.

use std::collections::BTreeMap;

use observe::cost::Counter;
use serde_json::Value;
use workshop::{
    evidence::{Range, Statistic},
    judge,
};

use crate::support::TestApp;

#[test]
fn every_variant_answers_as_the_others_do() {
    let app = TestApp::start();
    app.run(async {
        for loaded in crate::support::labs().all() {
            let mut first: Option<Value> = None;
            for variant in loaded.evidence.variants() {
                let (lab, answer) = (loaded.lab.id, &loaded.evidence.answer);
                let response = app.ask(loaded, variant).await;
                let status = response.status().as_u16();
                assert!(answer.allows(status), "{lab} {variant}: {status}");
                let body = answer.comparable(response.json().await.unwrap());
                let is_empty = match &body {
                    Value::Array(rows) => rows.is_empty(),
                    Value::Object(fields) => fields.is_empty(),
                    _ => true,
                };
                assert!(!is_empty, "{lab} {variant}: {body}");
                assert_eq!(*first.get_or_insert(body.clone()), body, "{variant}");
            }
        }
    });
}

#[test]
#[cfg(target_os = "linux")]
fn each_side_shows_its_numbers_and_never_those_of_the_other() {
    let app = TestApp::start();
    app.run(async {
        for loaded in crate::support::labs().all() {
            let lab = loaded.lab.id;
            let expected = &loaded.evidence.evidence;
            // Two requests of slow suffice if it blocks; otherwise one of ten may be an outlier.
            let slow_blocks =
                expected.slow.counters.values().all(|range| range.statistic == Statistic::Every);
            for (variant, requests) in [("slow", if slow_blocks { 2 } else { 20 }), ("fast", 20)] {
                for _ in 0..requests {
                    app.ask(loaded, variant).await;
                }
            }
            let slow = app.measured(lab, "slow").await;
            let fast = app.measured(lab, "fast").await;
            // Counts only; times are tested by k6 and prove.
            let counts = |ranges: &BTreeMap<Counter, Range>| -> BTreeMap<Counter, Range> {
                let is_count = |(counter, _): &(&Counter, &Range)| {
                    matches!(counter, Counter::Queries | Counter::Rows | Counter::Switches)
                };
                ranges.iter().filter(is_count).map(|(c, r)| (*c, *r)).collect()
            };
            let (of_slow, of_fast) =
                (counts(&expected.slow.counters), counts(&expected.fast.counters));
            assert_eq!(judge::counters(&of_slow, &slow), Vec::<String>::new(), "{lab} slow");
            assert_eq!(judge::counters(&of_fast, &fast), Vec::<String>::new(), "{lab} fast");
            // As if slow's handler were in place of fast's, and the reverse.
            assert_ne!(judge::counters(&of_fast, &slow), Vec::<String>::new(), "{lab}");
            assert_ne!(judge::counters(&of_slow, &fast), Vec::<String>::new(), "{lab}");
        }
    });
}

#[test]
fn wrong_fixes_are_refuted_by_their_numbers() {
    let app = TestApp::start();
    app.run(async {
        for loaded in crate::support::labs().all() {
            for fix in &loaded.evidence.wrong_fixes {
                app.ask(loaded, &fix.name).await;
                let measured = app.measured(loaded.lab.id, &fix.name).await;
                let fast = &loaded.evidence.evidence.fast;
                let failures = judge::refuted(&fix.refuted_by, fast, &measured);
                assert_eq!(failures, Vec::<String>::new(), "{}", fix.name);
                // The fix itself must not count as refuted.
                app.ask(loaded, "fast").await;
                let right = app.measured(loaded.lab.id, "fast").await;
                assert_ne!(judge::refuted(&fix.refuted_by, fast, &right), Vec::<String>::new());
            }
        }
    });
}

#[test]
fn a_reset_forgets_what_was_measured() {
    let app = TestApp::start();
    app.run(async {
        app.get("/api/posts/v2/fast").await;
        assert_eq!(app.measured("blocking-n-plus-one", "fast").await.count, 1);
        let reset = app.ops(reqwest::Method::POST, "/labs/blocking-n-plus-one/reset");
        assert_eq!(reset.send().await.unwrap().status(), 204);
        assert_eq!(app.measured("blocking-n-plus-one", "fast").await.count, 0);
    });
}
