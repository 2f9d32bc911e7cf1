//! Spans and metrics of lab.json, and the reasons to refuse them.

use serde_json::{Value, json};

use super::{super::Sides, with};

#[test]
fn spans_and_metrics_are_evidence_that_can_fail() {
    let metric = |max: u32| {
        json!([{
            "metric": "tasks_total", "labels": { "variant": "{variant}" }, "per": "run", "max": max,
        }])
    };
    let with_metrics = |change: &dyn Fn(&mut Value)| {
        with(|json| {
            json["evidence"]["slow"]["spans"] = json!({ "statistic": "p90", "min": 201 });
            json["evidence"]["fast"]["spans"] = json!({ "max": 10 });
            json["evidence"]["fast"]["metrics"] = metric(5);
            json["evidence"]["slow"]["metrics"] = metric(5);
            json["evidence"]["slow"]["metrics"][0]["max"] = Value::Null;
            json["evidence"]["slow"]["metrics"][0]["min"] = json!(1000);
            change(json);
        })
    };
    let Sides { slow, fast } = with_metrics(&|_| {}).unwrap().evidence;
    assert_eq!(
        slow.spans.map(|range| range.to_string()).unwrap(),
        "for nine of ten requests ≥ 201"
    );
    assert_eq!(fast.metrics[0].labels_of("yours")["variant"], "yours");
    assert_eq!(fast.metrics[0].to_string(), "tasks_total{variant=\"{variant}\"} in the run");
    let at = "/evidence/slow/metrics/0";
    for (pointer, value, reason) in [
        ("/evidence/slow/spans", json!({}), "evidence.slow.spans: the range has no ends"),
        (
            "/evidence/fast/spans",
            json!({ "min": 0 }),
            "evidence.fast.spans: nothing can be outside",
        ),
        ("/evidence/fast/spans", json!({ "most": 1 }), "evidence.fast.spans.most: unknown field"),
        ("/evidence/slow/span", json!({ "min": 1 }), "evidence.slow.span: unknown field `span`"),
        (
            "/evidence/slow/metrics",
            json!([]),
            "evidence.fast.metrics.tasks_total: no growth at all",
        ),
        (&format!("{at}/min"), Value::Null, "metrics.tasks_total: the range has no ends"),
        (
            &format!("{at}/max"),
            json!(10),
            "metrics.tasks_total: the range 1000 to 10 is impossible",
        ),
        (
            &format!("{at}/per"),
            json!("second"),
            "per: unknown variant `second`, expected `request`",
        ),
        (&format!("{at}/metric"), json!("a b"), "it can't be the name of a metric"),
        (&format!("{at}/labels"), json!({ "a-b": "" }), "labels.a-b can't be the name of a label"),
        (&format!("{at}/labels"), json!({ "variant": "slow" }), "\"{variant}\" would be right"),
        (
            &format!("{at}/labels"),
            json!({ "lab": "{id}" }),
            "labels.lab: only {variant} is replaced",
        ),
        (&format!("{at}/statistic"), json!("p90"), "statistic: unknown field `statistic`"),
    ] {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let changed = with_metrics(&|json| json.pointer_mut(parent).unwrap()[key] = value.clone());
        let error = changed.err().unwrap_or_default();
        assert!(error.contains(reason), "{pointer} {value}: {error:?}");
    }
}
