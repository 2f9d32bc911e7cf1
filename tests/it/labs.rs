//! Lab variants give the same answer with different numbers, as their evidence demands.

use std::collections::BTreeMap;

use observe::cost::Counter;
use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind};
use serde_json::Value;
use workshop::{
    LoadedLab,
    evidence::{Range, Sides, Statistic},
    judge::{self, answers, spans::Spans},
    request::Caller,
};

use crate::{
    kept_traces::of,
    support::{TestApp, header},
};

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
fn every_variant_refuses_what_the_lab_says() {
    let app = TestApp::start();
    app.run(async {
        let mut asked = 0;
        for loaded in crate::support::labs().all() {
            let evidence = &loaded.evidence;
            let caller = Caller::new(app.http.clone(), app.url(), evidence, 1).await.unwrap();
            for refusal in &evidence.refusals {
                for variant in evidence.variants() {
                    let answer = caller.refused(variant, 1, refusal).unwrap().send().await;
                    let status = answer.unwrap().status().as_u16();
                    let failure = answers::refused(variant, refusal, status);
                    assert_eq!(failure, None, "{}", loaded.lab.id);
                    asked += 1;
                }
            }
        }
        assert!(asked > 0);
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
            // A mean is that of a load.
            let is_mean = |range: &Range| range.statistic == Statistic::Mean;
            let fast = if expected.fast.counters.values().any(is_mean) { 100 } else { 20 };
            let slow = if slow_blocks { 2 } else { 20 };
            for (variant, requests) in [("slow", slow), ("fast", fast)] {
                for _ in 0..requests {
                    app.ask(loaded, variant).await;
                }
            }
            let slow = app.measured(lab, "slow").await;
            let fast = app.measured(lab, "fast").await;
            // Counts only; times are tested by k6 and prove.
            let counts = |ranges: &BTreeMap<Counter, Range>| -> BTreeMap<Counter, Range> {
                let is_count = |(counter, _): &(&Counter, &Range)| {
                    use Counter::{Hashes, Own, Queries, Rows, Switches, UpstreamCalls};
                    matches!(counter, Hashes | Own(_) | Queries | Rows | Switches | UpstreamCalls)
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

/// Twice, in two orders: beside another lab's slow, fast answers as before, at the same cost.
#[test]
fn no_lab_changes_the_counts_or_answers_of_another() {
    let app = TestApp::start();
    app.run(async {
        let labs = crate::support::labs();
        let posts = async || app.get("/api/posts?limit=100").await.text().await.unwrap();
        let before = posts().await;
        let count = labs.all().len();
        // Of each, by its id and status: a lab's upstream may be down now and then.
        let mut answers = BTreeMap::new();
        for (round, others) in
            [(0..count).collect::<Vec<_>>(), (0..count).rev().collect()].into_iter().enumerate()
        {
            for n in &others {
                let (loaded, beside) = (&labs.all()[*n], &labs.all()[(n + 1 + round) % count]);
                let (_, measured) = tokio::join!(app.ask(beside, "slow"), async {
                    let mut measured = Vec::new();
                    for _ in 0..3 {
                        measured.push(app.ask(loaded, "fast").await);
                    }
                    measured
                });
                for answer in measured {
                    let (id, status) = (loaded.lab.id, answer.status().as_u16());
                    let body = loaded.evidence.answer.comparable(answer.json().await.unwrap());
                    let first = answers.entry((id, status)).or_insert_with(|| body.clone());
                    assert_eq!(*first, body, "{id} beside {}", beside.lab.id);
                }
            }
        }
        for loaded in labs.all() {
            use Counter::{Hashes, Queries, Rows, UpstreamCalls};
            let is_exact = |(counter, range): &(&Counter, &Range)| {
                matches!(counter, Hashes | Queries | Rows | UpstreamCalls)
                    && range.statistic == Statistic::Every
            };
            let fast = &loaded.evidence.evidence.fast.counters;
            let ranges = fast.iter().filter(is_exact).map(|(c, r)| (*c, *r)).collect();
            let measured = app.measured(loaded.lab.id, "fast").await;
            assert_eq!(measured.count, 6, "{}", loaded.lab.id);
            let failures = judge::counters(&ranges, &measured);
            assert_eq!(failures, Vec::<String>::new(), "{}", loaded.lab.id);
        }
        assert_eq!(posts().await, before);
    });
}

#[test]
fn traces_have_as_many_spans_as_the_evidence_says() {
    let app = TestApp::start();
    app.run(async {
        let mut seen = 0;
        for loaded in crate::support::labs().all() {
            let Sides { slow, fast } = &loaded.evidence.evidence;
            if slow.spans.or(fast.spans).is_none() {
                continue;
            }
            let [of_slow, of_fast] = ["slow", "fast"].map(|variant| spans(&app, loaded, variant));
            let (of_slow, of_fast) = (of_slow.await, of_fast.await);
            assert_eq!(of_slow.judge(slow.spans), None, "{} slow", loaded.lab.id);
            assert_eq!(of_fast.judge(fast.spans), None, "{} fast", loaded.lab.id);
            // As if slow's handler were in place of fast's, and the reverse.
            assert!(fast.spans.is_none() || of_slow.judge(fast.spans).is_some(), "{of_slow:?}");
            assert!(slow.spans.is_none() || of_fast.judge(slow.spans).is_some(), "{of_fast:?}");
            seen += 1;
        }
        assert!(seen > 0, "no lab has spans in its evidence");
    });
}

/// Spans of one request to a variant.
async fn spans(app: &TestApp, loaded: &LoadedLab, variant: &str) -> Spans {
    let answer = app.ask(loaded, variant).await;
    let trace = header(&answer, "x-trace-id").to_owned();
    // The request's own span ends with the last of its answer.
    answer.bytes().await.unwrap();
    for _ in 0..100 {
        let spans = app.get_ops(&format!("/debug/traces/{trace}")).await;
        if spans.status() == 200 {
            let spans = of(&spans.json().await.unwrap());
            let is_entry = |span: &Span| span.kind() == SpanKind::Server;
            if spans.iter().any(is_entry) {
                return Spans::of(vec![spans.len() as u64]);
            }
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("{variant}: trace {trace} has not ended");
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
                let failures = judge::refuted(&fix.refuted_by, fast, &right);
                assert_ne!(failures, Vec::<String>::new(), "{}", fix.name);
            }
        }
    });
}

#[test]
fn each_variant_meets_the_same_faults_from_a_fresh_start() {
    let app = TestApp::start();
    app.run(async {
        let labs = crate::support::labs();
        let loaded = labs.get("retry-storm").unwrap();
        for _ in 0..2 {
            for (variant, calls) in [("slow", 25.0), ("longer-pause", 25.0), ("one-layer", 5.0)] {
                let mut statuses = Vec::new();
                for _ in 0..4 {
                    let answer = app.ask(loaded, variant).await;
                    let status = answer.status().as_u16();
                    assert_eq!(header(&answer, "retry-after") == "1", status == 503, "{variant}");
                    statuses.push(status);
                }
                assert_eq!(statuses, [503, 200, 200, 200], "{variant}");
                let measured = app.measured("retry-storm", variant).await;
                let made = measured.counters[&Counter::UpstreamCalls];
                assert_eq!((made.min, made.max), (1.0, calls), "{variant}");
                assert_eq!(made.mean * 4.0, calls + 2.0 + 1.0 + 1.0, "{variant}");
            }
            let reset = app.ops(reqwest::Method::POST, "/labs/retry-storm/reset");
            assert_eq!(reset.send().await.unwrap().status(), 204);
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
