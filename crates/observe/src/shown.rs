//! Escapes text for a terminal or a log file: characters that move a cursor, end a line or hide
//! text. Every line of the log goes through here, in either format.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    borrow::Cow,
    fmt::{self, Write as _},
    io::{self, Write as _},
    panic::PanicHookInfo,
    thread,
};

use tracing_subscriber::{
    field::RecordFields,
    fmt::{
        FormatFields,
        format::{DefaultFields, Writer},
    },
};

/// Message of a panic.
pub fn panic_message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without a message")
}

/// Returns the text with such characters escaped as in JSON, `\u202e`; JSON keeps its meaning.
pub fn shown(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        return text.into();
    }
    let mut shown = String::with_capacity(text.len());
    for char in text.chars() {
        if is_shown(char) {
            shown.push(char);
            continue;
        }
        for unit in char.encode_utf16(&mut [0; 2]) {
            // Writing to a String can't fail.
            let _ = write!(shown, "\\u{unit:04x}");
        }
    }
    shown.into()
}

/// True if all characters are printable ASCII, as in nearly all text.
pub fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// True if a character is visible at a place of its own. False for controls, marks of direction,
/// characters without width, combining characters, and spaces other than ASCII's. Uses Unicode's
/// tables in the standard library, whose `escape_debug` escapes such characters.
fn is_shown(char: char) -> bool {
    matches!(char, ' '..='~')
        || !char.is_ascii() && !is_filler(char) && char.escape_debug().len() == 1
}

/// True for blank characters that Unicode counts as letters or symbols.
fn is_filler(char: char) -> bool {
    matches!(char, '\u{115f}' | '\u{1160}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}')
}

/// Formats the fields and the message of an event. Escapes them, not the colors around them.
pub struct ShownFields;

impl<'writer> FormatFields<'writer> for ShownFields {
    fn format_fields<R: RecordFields>(
        &self,
        mut writer: Writer<'writer>,
        fields: R,
    ) -> fmt::Result {
        let mut text = String::new();
        DefaultFields::new().format_fields(Writer::new(&mut text), fields)?;
        writer.write_str(&shown(&text))
    }
}

/// Reports every panic on standard error, in one line: its message may quote a client's data.
pub fn escape_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let mut stderr = io::stderr().lock();
        // If standard error fails, the panic can't be reported anywhere.
        let _ = writeln!(stderr, "{}", panic_line(panic));
        let trace = Backtrace::capture();
        if trace.status() == BacktraceStatus::Captured {
            let _ = writeln!(stderr, "{trace}");
        }
    }));
}

fn panic_line(panic: &PanicHookInfo<'_>) -> String {
    let thread = thread::current();
    let name = thread.name().unwrap_or("without a name");
    let place = panic.location().map_or_else(String::new, |place| format!(" at {place}"));
    let message = panic_message(panic.payload());
    shown(&format!("thread {name} panicked{place}: {message}")).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_ends_or_hides_is_escaped_and_nothing_else() {
        for plain in ["", "a b~", "öffnet 🚰 日本 ελ עברית", "\\u0041\"'"] {
            assert_eq!(shown(plain), plain);
        }
        for (text, escaped) in [
            ("\u{1b}[2J", r"\u001b[2J"),
            ("a\r\nb\0\t\u{7f}", r"a\u000d\u000ab\u0000\u0009\u007f"),
            ("\u{85}\u{9b}2J", r"\u0085\u009b2J"),
            (
                "\u{202e}\u{2066}\u{200b}\u{feff}\u{2028}\u{ad}",
                r"\u202e\u2066\u200b\ufeff\u2028\u00ad",
            ),
            ("a\u{301}\u{3164}", r"a\u0301\u3164"),
            ("\u{e0041}", r"\udb40\udc41"),
        ] {
            assert_eq!(shown(text), escaped);
            let json = serde_json::to_string(text).unwrap();
            let shown = shown(&json);
            assert!(shown.chars().all(is_shown), "{shown}");
            assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
        }
    }

    #[test]
    fn a_panic_is_reported_in_one_line() {
        let (sender, receiver) = std::sync::mpsc::channel();
        let before = std::panic::take_hook();
        let this = thread::current().id();
        std::panic::set_hook(Box::new(move |panic| {
            if thread::current().id() == this {
                let _ = sender.send(panic_line(panic));
            } else {
                before(panic);
            }
        }));
        let text = "a\nforged \u{9b}line".to_owned();
        std::panic::catch_unwind(|| panic!("{text}")).unwrap_err();
        drop(std::panic::take_hook());
        let line = receiver.recv().unwrap();
        assert!(line.ends_with(r": a\u000aforged \u009bline"), "{line}");
    }
}
