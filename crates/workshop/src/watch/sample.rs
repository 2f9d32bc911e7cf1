//! lab.json of a small lab, for the tests of a watch.

use crate::evidence::Evidence;

/// A lab.json with this gate, whose slow makes 101 queries and whose fast makes exactly one.
pub fn lab(gate: &str) -> Evidence {
    let crossed = gate.trim_matches(['{', '}', ' ']).replace(['"', '[', ']'], "");
    let text = format!(
        r#"{{
        "title": "t", "area": "database", "order": 1, "question": "q", "hints": ["h"], "origin": "o",
        "request": {{ "method": "GET", "mount": "/api/labs/t" }},
        "answer": {{ "statuses": {{ "200": {{ "min": 1 }} }} }},
        "load": {{
            "proof": {{ "executor": "constant-arrival-rate", "rate": 1, "duration": 1,
                "max_vus": 1, "graceful_stop": 1, "min_requests": 1 }},
            "stage": {{ "executor": "constant-arrival-rate", "rate": 1, "duration": 1,
                "max_vus": 1, "graceful_stop": 1, "min_requests": 1 }}
        }},
        "gate": {{ "thresholds": {gate}, "slow_crosses": ["{crossed}"] }},
        "evidence": {{
            "slow": {{ "counters": {{ "queries": {{ "min": 101, "max": 101 }} }} }},
            "fast": {{ "counters": {{ "queries": {{ "min": 1, "max": 1 }}, "elapsed_ms": {{ "max": 600 }} }} }}
        }},
        "wrong_fixes": [], "needs": {{}}
    }}"#
    );
    Evidence::parse("t", &text).unwrap()
}

/// The lab whose gate counts.
pub fn counting() -> Evidence {
    lab(r#"{ "queries": ["max<=5"] }"#)
}
