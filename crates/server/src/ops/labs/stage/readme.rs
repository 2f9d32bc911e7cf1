//! Sections of a lab's README, by their headings: some give the answer away, and are folded.

use maud::{Markup, PreEscaped, html};
use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd, html::push_html};

/// Sections after the hints, and whether each is open from the start.
pub const FOLDED: [(&str, bool); 5] = [
    ("See it", false),
    ("Cause", false),
    ("Fix", false),
    ("Wrong fixes", false),
    ("Numbers", true),
];

/// Headings, each with what follows it.
pub struct Readme<'a>(Vec<(String, Vec<Event<'a>>)>);

impl<'a> Readme<'a> {
    pub fn of(text: &'a str) -> Self {
        let mut parts: Vec<(String, Vec<Event<'a>>)> = Vec::new();
        let mut in_heading = false;
        for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::Heading { level: HeadingLevel::H2, .. }) => {
                    in_heading = true;
                    parts.push((String::new(), Vec::new()));
                }
                Event::End(TagEnd::Heading(HeadingLevel::H2)) => in_heading = false,
                event => {
                    // What comes before the first heading repeats the question, and names the cause.
                    let Some((heading, events)) = parts.last_mut() else { continue };
                    match event {
                        Event::Text(text) if in_heading => heading.push_str(&text),
                        event => events.push(event),
                    }
                }
            }
        }
        Self(parts)
    }

    /// Section under this heading, as a fold; nothing if there is none.
    pub fn part(&self, name: &str, is_open: bool) -> Markup {
        html! {
            @if let Some((name, events)) = self.0.iter().find(|(heading, _)| heading == name) {
                details.part open[is_open] {
                    summary { h3 { (name) } }
                    (html_of(events))
                }
            }
        }
    }
}

/// Our own Markdown as HTML. A table scrolls by itself on a narrow screen.
fn html_of(events: &[Event<'_>]) -> Markup {
    const BEGIN: &str =
        "<div class=\"scrolling\" role=\"region\" tabindex=\"0\" aria-label=\"Numbers\">";
    let mut all = Vec::with_capacity(events.len() + 2);
    for event in events {
        if matches!(event, Event::Start(Tag::Table(_))) {
            all.push(Event::Html(BEGIN.into()));
        }
        all.push(event.clone());
        if matches!(event, Event::End(TagEnd::Table)) {
            all.push(Event::Html("</div>".into()));
        }
    }
    let mut out = String::new();
    push_html(&mut out, all.into_iter());
    // A header without a word is none.
    PreEscaped(out.replace("<th></th>", "<td></td>"))
}

#[cfg(test)]
mod tests {
    use super::Readme;

    #[test]
    fn a_section_is_found_by_its_heading() {
        let text =
            "# Lab\n\nIt sleeps.\n\n## Symptom\n\nSlow.\n\n## Numbers\n\n| a |\n|---|\n| 1 |\n";
        let readme = Readme::of(text);
        let symptom = readme.part("Symptom", true).into_string();
        assert!(symptom.contains("<p>Slow.</p>") && symptom.contains("open"), "{symptom}");
        let numbers = readme.part("Numbers", true).into_string();
        assert!(numbers.contains("tabindex=\"0\"") && numbers.contains("<td>1</td>"), "{numbers}");
        assert!(!symptom.contains("sleeps") && !numbers.contains("Slow"));
        assert_eq!(readme.part("Cause", false).into_string(), "");
    }
}
