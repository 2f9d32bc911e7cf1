//! Lists of the cost counters: k6, Grafana and the docs have the rows of one table.
//!
//! `UPDATE_LISTS=1 cargo test --test it counters` writes them.

use std::{collections::BTreeSet, env, fs};

use observe::cost::{
    Counter,
    row::{Row, Unit},
};
use serde_json::{Value, json};
use workshop::evidence::Expected;

fn rows() -> impl Iterator<Item = &'static Row> {
    Counter::ALL.iter().filter_map(|counter| counter.row())
}

/// Rows for k6 and for the generator of the dashboards.
fn for_programs() -> String {
    let of = |row: &Row| -> Value {
        let timing = row.timing.as_ref();
        json!({
            "name": row.names.trend,
            "json": row.names.json,
            "metric": row.buckets.map(|_| row.names.metric),
            "unit": match row.unit { Unit::Count => "count", Unit::Time => "time", Unit::Share => "share" },
            "label": timing.map(|timing| timing.label),
            "part": timing.map(|timing| if timing.noun.is_some() { "count" } else { "dur" }),
            "always": row.is_always_shown,
            "linux": row.is_linux_only,
            "help": row.help,
        })
    };
    let lines: Vec<_> = rows().map(|row| format!("  {}", of(row))).collect();
    format!("[\n{}\n]\n", lines.join(",\n"))
}

/// Table for people.
fn for_people() -> String {
    let mut text = "# Cost counters\n\nEach request has these, and so has the process as a whole \
                    (`/debug/totals` on the ops port). A name that ends in `_ms` is a time in \
                    milliseconds.\n\n\
                    | name in JSON | meaning | `Server-Timing` | histogram |\n|---|---|---|---|\n"
        .to_owned();
    for row in rows() {
        let timing = row.timing.as_ref();
        let timing = timing.map_or(String::new(), |timing| match timing.noun {
            Some(noun) => format!("`{};desc=\"… {noun}\"`", timing.label),
            None => format!("`{};dur=…`", timing.label),
        });
        let metric = row.buckets.map_or(String::new(), |_| format!("`{}`", row.names.metric));
        let system = if row.is_linux_only { " (Linux)" } else { "" };
        text += &format!("| `{}` | {}{system} | {timing} | {metric} |\n", row.names.json, row.help);
    }
    text
}

fn same(path: &str, text: &str) {
    let path = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
    if env::var_os("UPDATE_LISTS").is_some() {
        fs::write(&path, text).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap();
    assert!(found == text, "{path} is not the table; UPDATE_LISTS=1 writes it");
}

#[test]
fn k6_and_dashboards_have_the_rows_of_the_table() {
    same("k6/lib/counters.json", &for_programs());
}

#[test]
fn the_docs_have_the_rows_of_the_table() {
    same("docs/counters.md", &for_people());
}

/// k6 fails at its start for a threshold on a metric that it does not have.
#[test]
fn every_gate_is_on_what_k6_measures() {
    for loaded in crate::support::labs().all() {
        let own = loaded.lab.counters.iter().map(|own| own.name());
        let of_header = rows().filter(|row| row.timing.is_some()).map(|row| row.names.trend);
        let known: BTreeSet<_> = own.chain(of_header).chain(["http_req_duration"]).collect();
        let Expected { counters, .. } = &loaded.evidence.evidence.slow;
        for metric in loaded.evidence.gate.thresholds.keys() {
            let id = loaded.lab.id;
            assert!(known.contains(metric.as_str()), "{id}: k6 has no metric {metric:?}");
            // By its range k6 knows a counter of the lab's own.
            let is_own = loaded.lab.counters.iter().any(|own| own.name() == metric);
            let has_range = counters.keys().any(|counter| counter.name() == metric);
            assert!(!is_own || has_range, "{id}: {metric} has no range in the evidence of slow");
        }
    }
}

#[test]
fn every_counter_has_names_of_its_own() {
    for name in
        [|row: &Row| row.names.json, |row: &Row| row.names.trend, |row: &Row| row.names.metric]
    {
        let mut names: Vec<_> = rows().map(name).collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
