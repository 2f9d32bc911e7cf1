//! lab.json of a small lab, for the tests of a watch.

use serde_json::{Value, json};

use crate::evidence::{Evidence, tests::plain};

/// A lab.json with this gate, whose slow makes 101 queries and whose fast makes exactly one.
pub fn lab(gate: &str) -> Evidence {
    let crossed = gate.trim_matches(['{', '}', ' ']).replace(['"', '[', ']'], "");
    let thresholds: Value = serde_json::from_str(gate).unwrap();
    let mut evidence = plain();
    evidence["gate"] = json!({ "thresholds": thresholds, "slow_crosses": [crossed] });
    evidence["evidence"] = json!({
        "slow": { "counters": { "queries": { "min": 101, "max": 101 } } },
        "fast": { "counters": { "queries": { "min": 1, "max": 1 }, "elapsed_ms": { "max": 600 } } },
    });
    Evidence::parse("a-lab", &evidence.to_string()).unwrap()
}

/// The lab whose gate counts.
pub fn counting() -> Evidence {
    lab(r#"{ "queries": ["max<=5"] }"#)
}
