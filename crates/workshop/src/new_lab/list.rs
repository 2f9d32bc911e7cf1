//! src/labs/mod.rs with one more lab: its `mod` line, and its entry of the catalogue. Text in, text
//! out, laid out as rustfmt would.

const CATALOGUE: &str = "pub static CATALOGUE: &[&Lab] =";

/// Columns of a line.
const WIDTH: usize = 100;

/// The list with this module, in its place in the alphabet, and its entry after that of another
/// lab, or as the first.
///
/// # Errors
/// The text is not laid out as this program knows it.
pub fn with(text: &str, module: &str, after: Option<&str>) -> Result<String, String> {
    with_entry(&with_module(text, module)?, module, after)
}

fn with_module(text: &str, module: &str) -> Result<String, String> {
    let mut lines: Vec<&str> = text.lines().collect();
    let name = |line: &str| Some(line.strip_prefix("pub mod ")?.strip_suffix(';')?.to_owned());
    let modules: Vec<(usize, String)> =
        lines.iter().enumerate().filter_map(|(at, line)| Some((at, name(line)?))).collect();
    let (last, _) = modules.last().ok_or("there is no line `pub mod …;` to add one to")?;
    let at = match modules.iter().find(|(_, known)| known.as_str() > module) {
        // Above the doc comment of the next one.
        Some((at, _)) => {
            let is_doc = |line: &&&str| line.starts_with("///");
            at - lines[..*at].iter().rev().take_while(is_doc).count()
        }
        None => last + 1,
    };
    let line = format!("pub mod {module};");
    drop(lines.splice(at..at, ["/// TODO: the defect in one sentence.", line.as_str()]));
    Ok(lines.join("\n") + "\n")
}

fn with_entry(text: &str, module: &str, after: Option<&str>) -> Result<String, String> {
    let start = text.find(CATALOGUE).ok_or_else(|| format!("there is no `{CATALOGUE}`"))?;
    let length = text[start..].find("];").ok_or("CATALOGUE has no end `];`")? + "];".len();
    let (before, list) = text.split_at(start);
    let (list, rest) = list.split_at(length);
    let open = list.rfind("&[").ok_or("CATALOGUE has no beginning `&[`")?;
    let inner = list[open + "&[".len()..].trim_end_matches("];");
    let mut entries: Vec<String> =
        inner.split(',').map(|entry| entry.trim().to_owned()).filter(|e| !e.is_empty()).collect();
    let at = match after.map(|after| format!("&{after}::LAB")) {
        None => 0,
        Some(after) => {
            let known = entries.iter().position(|entry| *entry == after);
            known.ok_or_else(|| format!("CATALOGUE has no `{after}`"))? + 1
        }
    };
    entries.insert(at, format!("&{module}::LAB"));
    Ok(format!("{before}{}{rest}", laid_out(&entries)))
}

/// On one line if it fits, else below, else one entry a line.
fn laid_out(entries: &[String]) -> String {
    let all = format!("&[{}];", entries.join(", "));
    if CATALOGUE.len() + 1 + all.len() <= WIDTH {
        return format!("{CATALOGUE} {all}");
    }
    if 4 + all.len() <= WIDTH {
        return format!("{CATALOGUE}\n    {all}");
    }
    let lines: String = entries.iter().map(|entry| format!("    {entry},\n")).collect();
    format!("{CATALOGUE} &[\n{lines}];")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "\
//! The labs.

use workshop::Lab;

/// First.
/// It is the first.
pub mod beta;
/// Second.
pub mod delta;

pub static CATALOGUE: &[&Lab] = &[&delta::LAB, &beta::LAB];
";

    #[test]
    fn a_lab_is_entered_in_its_place() {
        let list = with(LIST, "alpha", Some("delta")).unwrap();
        assert!(
            list.contains(
                "\n\n/// TODO: the defect in one sentence.\npub mod alpha;\n/// First.\n"
            )
        );
        assert!(list.ends_with("&[&delta::LAB, &alpha::LAB, &beta::LAB];\n"), "{list}");
        let list = with(LIST, "charlie", Some("beta")).unwrap();
        assert!(list.contains(
            "pub mod beta;\n/// TODO: the defect in one sentence.\npub mod charlie;\n/// Second.\n"
        ));
        assert!(list.ends_with("&[&delta::LAB, &beta::LAB, &charlie::LAB];\n"), "{list}");
        let list = with(LIST, "omega", None).unwrap();
        assert!(
            list.contains(
                "pub mod delta;\n/// TODO: the defect in one sentence.\npub mod omega;\n\n"
            )
        );
        assert!(list.ends_with("&[&omega::LAB, &delta::LAB, &beta::LAB];\n"), "{list}");
    }

    #[test]
    fn a_long_list_is_laid_out_as_rustfmt_does() {
        let (a, b) = (format!("a{}", "a".repeat(39)), format!("b{}", "b".repeat(39)));
        let below = with(LIST, &a, Some("beta")).unwrap();
        assert!(below.contains("=\n    &[&delta::LAB, &beta::LAB, &aaa"), "{below}");
        let vertical = with(&below, &b, Some(&a)).unwrap();
        assert!(
            vertical.contains("= &[\n    &delta::LAB,\n    &beta::LAB,\n    &aaa"),
            "{vertical}"
        );
        // And it is read in each layout.
        let more = with(&vertical, "omega", Some("delta")).unwrap();
        assert!(more.contains("    &delta::LAB,\n    &omega::LAB,\n"), "{more}");
    }

    #[test]
    fn a_list_of_another_shape_is_refused() {
        assert!(with("", "a", None).unwrap_err().contains("pub mod"));
        assert!(with("pub mod a;\n", "b", None).unwrap_err().contains("CATALOGUE"));
        assert!(with(LIST, "b", Some("gone")).unwrap_err().contains("no `&gone::LAB`"));
    }
}
