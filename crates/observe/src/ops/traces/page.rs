//! HTML pages of `/debug/traces`.

use std::time::Duration;

/// What is wrong with a request.
mod alarms;
/// Page of two traces.
mod compared;
/// Tree of spans as lines, in the order of display.
mod lines;
/// The list, its filters, and the slowest of each route.
mod list;
/// Page of one trace.
mod one;
/// Waterfall of a trace.
mod picture;

pub use compared::compared;
pub use list::list;
pub use one::one;

/// Formats milliseconds, with two digits after the point below 10 ms.
fn millis(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1e3;
    match millis {
        0.0 => "0".to_owned(),
        ..10.0 => format!("{millis:.2} ms"),
        _ => format!("{} ms", grouped(millis.round() as u64)),
    }
}

/// Number with a comma before each three digits, which a room reads at a glance.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
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
    fn times_have_few_digits_and_large_ones_commas() {
        let shown = [0, 4, 4_321, 12_345, 999_600, 7_846_000, 1_234_567_000]
            .map(|micros| millis(Duration::from_micros(micros)));
        assert_eq!(
            shown,
            ["0", "0.00 ms", "4.32 ms", "12 ms", "1,000 ms", "7,846 ms", "1,234,567 ms"]
        );
    }

    #[test]
    fn a_route_stands_in_a_query_as_it_is() {
        assert_eq!(encoded("/api/todos/{id}"), "/api/todos/%7Bid%7D");
        assert_eq!(encoded("a&b=ü #"), "a%26b%3D%C3%BC%20%23");
    }
}
