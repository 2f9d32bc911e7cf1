//! HTML pages of `/debug/traces`.

use std::time::{Duration, SystemTime};

use maud::{Markup, html};

/// Tree of spans as lines, in the order of display.
mod lines;
/// The list, its filters, and the slowest of each route.
mod list;
/// Page of one trace.
mod one;
/// Waterfall of a trace.
mod picture;

pub use list::list;
pub use one::one;

/// Formats milliseconds, with two digits after the point below 10 ms.
fn millis(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1e3;
    match millis {
        0.0 => "0".to_owned(),
        ..10.0 => format!("{millis:.2} ms"),
        _ => format!("{millis:.0} ms"),
    }
}

/// Time of day, with the full time as a tooltip.
fn moment(time: SystemTime) -> Markup {
    let full = humantime::format_rfc3339_millis(time).to_string();
    let of_day = full.split_once('T').map_or(&*full, |(_, of_day)| of_day);
    html! { time datetime=(full) title=(full) { (of_day) } }
}

/// Percent-encodes text for a query.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(byte as char);
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_stands_in_a_query_as_it_is() {
        assert_eq!(encoded("/api/todos/{id}"), "/api/todos/%7Bid%7D");
        assert_eq!(encoded("a&b=ü #"), "a%26b%3D%C3%BC%20%23");
    }
}
