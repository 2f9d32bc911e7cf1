//! The pages of `/debug/traces`.

use std::time::{Duration, SystemTime};

use maud::{Markup, html};

/// One span in another, in the order they are shown.
mod lines;
/// The list, its filters, and the slowest of each route.
mod list;
/// One trace.
mod one;
/// A trace as a picture.
mod picture;

pub use list::list;
pub use one::one;

/// Milliseconds, with as many digits as can be told apart.
fn millis(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1e3;
    match millis {
        0.0 => "0".to_owned(),
        ..10.0 => format!("{millis:.2} ms"),
        _ => format!("{millis:.0} ms"),
    }
}

/// The time of day, and all of it for who points at it.
fn moment(time: SystemTime) -> Markup {
    let full = humantime::format_rfc3339_millis(time).to_string();
    let of_day = full.split_once('T').map_or(&*full, |(_, of_day)| of_day);
    html! { time datetime=(full) title=(full) { (of_day) } }
}

/// Text as it may stand in a query.
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
