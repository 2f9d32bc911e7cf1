//! Formats numbers faster than `std::fmt`: each request writes about thirty.

/// Appends a whole number.
pub fn push_count(text: &mut Vec<u8>, number: u64) {
    text.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Appends nanoseconds as milliseconds with three decimals, rounded down.
pub fn push_millis(text: &mut Vec<u8>, nanos: u64) {
    let micros = nanos / 1_000;
    push_count(text, micros / 1_000);
    let rest = micros % 1_000;
    let digit = |n: u64| b'0' + (n % 10) as u8;
    text.extend_from_slice(&[b'.', digit(rest / 100), digit(rest / 10), digit(rest)]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_have_three_decimals() {
        for (nanos, expected) in [
            (0, "0.000"),
            (999, "0.000"),
            (1_000, "0.001"),
            (20_300_000, "20.300"),
            (2_012_345_678, "2012.345"),
            (999_999_999, "999.999"),
            (u64::MAX, "18446744073709.551"),
        ] {
            let mut text = Vec::new();
            push_millis(&mut text, nanos);
            assert_eq!(String::from_utf8(text).unwrap(), expected);
        }
    }
}
