//! lib.rs of an area with one more lab: its `mod` line, and its entry at the end of the list. Text
//! in, text out, laid out as rustfmt would.

const LABS: &str = "pub static LABS: &[&Lab] =";

/// Columns of a line.
const WIDTH: usize = 100;

/// The list with this module, in its place in the alphabet, and its entry, the last.
///
/// # Errors
/// The text is not laid out as this program knows it.
pub fn with(text: &str, module: &str) -> Result<String, String> {
    with_entry(&with_module(text, module)?, module)
}

fn with_module(text: &str, module: &str) -> Result<String, String> {
    let line = format!("pub mod {module};");
    let mut lines: Vec<&str> = text.lines().collect();
    let name = |line: &str| Some(line.strip_prefix("pub mod ")?.strip_suffix(';')?.to_owned());
    let modules: Vec<(usize, String)> =
        lines.iter().enumerate().filter_map(|(at, line)| Some((at, name(line)?))).collect();
    let mut new = vec!["/// TODO: the defect in one sentence.", line.as_str()];
    let at = match modules.iter().find(|(_, known)| known.as_str() > module) {
        // Above the doc comment of the next one.
        Some((at, _)) => {
            let is_doc = |line: &&&str| line.starts_with("///");
            at - lines[..*at].iter().rev().take_while(is_doc).count()
        }
        None => match modules.last() {
            Some((last, _)) => last + 1,
            // The first of its area.
            None => {
                new.push("");
                let list = lines.iter().position(|line| line.starts_with(LABS));
                list.ok_or_else(|| format!("there is no `{LABS}`"))?
            }
        },
    };
    drop(lines.splice(at..at, new));
    Ok(lines.join("\n") + "\n")
}

fn with_entry(text: &str, module: &str) -> Result<String, String> {
    let start = text.find(LABS).ok_or_else(|| format!("there is no `{LABS}`"))?;
    let length = text[start..].find("];").ok_or("LABS has no end `];`")? + "];".len();
    let (before, list) = text.split_at(start);
    let (list, rest) = list.split_at(length);
    let open = list.rfind("&[").ok_or("LABS has no beginning `&[`")?;
    let inner = list[open + "&[".len()..].trim_end_matches("];");
    let mut entries: Vec<String> =
        inner.split(',').map(|entry| entry.trim().to_owned()).filter(|e| !e.is_empty()).collect();
    entries.push(format!("&{module}::LAB"));
    Ok(format!("{before}{}{rest}", laid_out(&entries)))
}

/// On one line if it fits, else below, else one entry a line.
fn laid_out(entries: &[String]) -> String {
    let all = format!("&[{}];", entries.join(", "));
    if LABS.len() + 1 + all.len() <= WIDTH {
        return format!("{LABS} {all}");
    }
    if 4 + all.len() <= WIDTH {
        return format!("{LABS}\n    {all}");
    }
    let lines: String = entries.iter().map(|entry| format!("    {entry},\n")).collect();
    format!("{LABS} &[\n{lines}];")
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

pub static LABS: &[&Lab] = &[&delta::LAB, &beta::LAB];
";

    #[test]
    fn a_lab_is_entered_in_its_place() {
        let list = with(LIST, "alpha").unwrap();
        assert!(
            list.contains(
                "\n\n/// TODO: the defect in one sentence.\npub mod alpha;\n/// First.\n"
            )
        );
        assert!(list.ends_with("&[&delta::LAB, &beta::LAB, &alpha::LAB];\n"), "{list}");
        let list = with(LIST, "charlie").unwrap();
        assert!(list.contains(
            "pub mod beta;\n/// TODO: the defect in one sentence.\npub mod charlie;\n/// Second.\n"
        ));
        let list = with(LIST, "omega").unwrap();
        assert!(
            list.contains(
                "pub mod delta;\n/// TODO: the defect in one sentence.\npub mod omega;\n\n"
            )
        );
    }

    #[test]
    fn the_first_lab_of_an_area_is_entered() {
        let empty = "//! None.\n\nuse workshop::Lab;\n\npub static LABS: &[&Lab] = &[];\n";
        assert_eq!(
            with(empty, "alpha").unwrap(),
            "//! None.\n\nuse workshop::Lab;\n\n/// TODO: the defect in one sentence.\n\
             pub mod alpha;\n\npub static LABS: &[&Lab] = &[&alpha::LAB];\n"
        );
    }

    #[test]
    fn a_long_list_is_laid_out_as_rustfmt_does() {
        let (a, b) = (format!("a{}", "a".repeat(44)), format!("b{}", "b".repeat(39)));
        let below = with(LIST, &a).unwrap();
        assert!(below.contains("=\n    &[&delta::LAB, &beta::LAB, &aaa"), "{below}");
        let vertical = with(&below, &b).unwrap();
        assert!(
            vertical.contains("= &[\n    &delta::LAB,\n    &beta::LAB,\n    &aaa"),
            "{vertical}"
        );
        // And it is read in each layout.
        let more = with(&vertical, "omega").unwrap();
        assert!(more.ends_with("    &omega::LAB,\n];\n"), "{more}");
    }

    #[test]
    fn a_list_of_another_shape_is_refused() {
        assert!(with("", "a").unwrap_err().contains("no `pub static LABS"));
        assert!(with("pub mod a;\n", "b").unwrap_err().contains("no `pub static LABS"));
    }
}
