//! Differences between two answers, in words and as a short diff.

use std::time::Duration;

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use crate::evidence::Refusal;

/// Lines of the diff that are shown: a table's cell is no place for more.
const SHOWN_LINES: usize = 16;
/// Longest line of the diff, in characters.
const SHOWN_WIDTH: usize = 100;
/// Lines around a change, so that the row is seen to which a field belongs.
const CONTEXT: usize = 3;
/// Longest time for a diff; a longer one ends as a coarser diff.
const DIFF_WITHIN: Duration = Duration::from_millis(500);

/// Says in words that a variant did not refuse what it must; None if it did.
pub fn refused(variant: &str, refusal: &Refusal, status: u16) -> Option<String> {
    let Refusal { name, status: right, .. } = refusal;
    (status != *right)
        .then(|| format!("{variant} answers a request {name} with status {status}, not {right}"))
}

/// Says that a status differs from the other's; None if they are equal.
pub fn other_status(expected: u16, given: u16) -> Option<String> {
    (expected != given).then(|| format!("status {given} instead of {expected}"))
}

/// Says in words how `given` differs from `expected`; None if they are equal.
pub fn difference(expected: &Value, given: &Value) -> Option<String> {
    (expected != given)
        .then(|| format!("{}:\n{}", in_words(expected, given), diff(expected, given)))
}

fn in_words(expected: &Value, given: &Value) -> String {
    let (Value::Array(expected), Value::Array(given)) = (expected, given) else {
        return "the JSON differs".to_owned();
    };
    let differ: Vec<_> = (0..expected.len().min(given.len()))
        .filter(|n| expected[*n] != given[*n])
        .map(|n| n + 1)
        .collect();
    let first = differ.first().map_or_else(String::new, |first| format!(", first row {first}"));
    if expected.len() == given.len() {
        return format!("{} of {} rows differ{first}", differ.len(), expected.len());
    }
    format!("{} rows instead of {}{first}", given.len(), expected.len())
}

/// Changed lines of both answers, `-` for what is expected and `+` for what is given.
fn diff(expected: &Value, given: &Value) -> String {
    let (expected, given) = (pretty(expected), pretty(given));
    let diff = TextDiff::configure().timeout(DIFF_WITHIN).diff_lines(&expected, &given);
    let mut lines = Vec::new();
    for group in diff.grouped_ops(CONTEXT) {
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let sign = match change.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => ' ',
            };
            let text: String = change.value().trim_end().chars().take(SHOWN_WIDTH).collect();
            lines.push(format!("{sign} {text}"));
        }
    }
    let left_out = lines.len().saturating_sub(SHOWN_LINES);
    lines.truncate(SHOWN_LINES);
    if left_out > 0 {
        lines.push(format!("… and {left_out} lines more"));
    }
    lines.join("\n")
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn equal_answers_do_not_differ() {
        assert_eq!(difference(&json!([{"id": 1}]), &json!([{"id": 1}])), None);
    }

    #[test]
    fn a_changed_field_is_shown_with_its_row() {
        let rows = |title: &str| json!([{"id": 1, "title": "a"}, {"id": 2, "title": title}]);
        let text = difference(&rows("b"), &rows("c")).unwrap();
        assert!(text.starts_with("1 of 2 rows differ, first row 2:\n"), "{text}");
        assert!(text.contains("-     \"title\": \"b\"\n+     \"title\": \"c\""), "{text}");
        assert!(text.contains("\"id\": 2"), "{text}");
    }

    #[test]
    fn missing_rows_are_counted() {
        let text = difference(&json!([1, 2, 3]), &json!([1, 2])).unwrap();
        assert!(text.starts_with("2 rows instead of 3:\n"), "{text}");
        let text = difference(&json!([1, 2, 3]), &json!([2, 3])).unwrap();
        assert!(text.starts_with("2 rows instead of 3, first row 1:\n"), "{text}");
        let text = difference(&json!([1]), &json!({"rows": []})).unwrap();
        assert!(text.starts_with("the JSON differs:\n"), "{text}");
    }

    #[test]
    fn a_long_diff_is_cut() {
        let all: Vec<u32> = (0..1000).collect();
        let text = difference(&json!(all), &json!([])).unwrap();
        assert!(text.lines().count() <= SHOWN_LINES + 2, "{text}");
        assert!(text.ends_with("lines more"), "{text}");
        let wide = difference(&json!("ö".repeat(500)), &json!("")).unwrap();
        assert!(wide.lines().all(|line| line.chars().count() <= SHOWN_WIDTH + 2), "{wide}");
    }
}
