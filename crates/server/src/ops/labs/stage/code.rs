//! Code of the lab: yours as it is on disk, and slow with its difference to fast, which is folded until
//! it is asked for.

use maud::{Markup, html};
use similar::{ChangeTag, TextDiff};

use workshop::lab::LoadedLab;

pub fn section(loaded: &LoadedLab, has_yours: bool, is_solved: bool) -> Markup {
    let folder = loaded.folder();
    html! {
        section.code aria-labelledby="code-title" {
            h2 #code-title { "Code" }
            @if has_yours {
                div.yours data-yours {
                    h3 { code { (folder.join("yours.rs").display()) } }
                    p.quiet { "As it is on disk now; edit it there." }
                    pre { code data-rust { "…" } }
                }
            } @else {
                p.quiet { "This server does not run in a checkout of the repository, which has yours.rs." }
            }
            details.diff open[is_solved] data-diff {
                summary data-key="d" { "slow.rs, and what fast.rs changes" }
                pre.difference { (difference(loaded.lab.slow_source, loaded.lab.fast_source)) }
            }
        }
    }
}

/// Lines of slow and fast in one text, as `diff` prints them.
fn difference(slow: &str, fast: &str) -> Markup {
    let diff = TextDiff::from_lines(slow, fast);
    html! {
        @for change in diff.iter_all_changes() {
            @let (class, sign) = match change.tag() {
                ChangeTag::Delete => ("removed", "-"),
                ChangeTag::Insert => ("added", "+"),
                ChangeTag::Equal => ("same", " "),
            };
            span class={ "line " (class) } {
                span.sign { (sign) }
                code data-rust { (change.value().trim_end_matches('\n')) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn each_line_is_kept_removed_or_added() {
        let text = difference("a\nb\n", "a\nc <d>\n").into_string();
        let lines: Vec<_> = text.split("<span class=\"line ").skip(1).collect();
        assert!(lines[0].starts_with("same") && lines[0].contains(">a<"), "{text}");
        assert!(lines[1].starts_with("removed") && lines[1].contains(">b<"), "{text}");
        assert!(lines[2].starts_with("added") && lines[2].contains(">c &lt;d&gt;<"), "{text}");
        assert_eq!(lines.len(), 3);
    }
}
