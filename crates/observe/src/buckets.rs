//! Upper bounds of histogram buckets.

/// Buckets of request times, in seconds: 1 ms to 30 s, each less than half again as long as the one
/// before where a gate may be.
pub const REQUEST_SECONDS: &[f64] = &[
    0.001, 0.002, 0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5,
    2.0, 3.0, 4.0, 5.0, 6.0, 7.5, 10.0, 12.5, 15.0, 20.0, 25.0, 30.0,
];
/// Buckets of polls and waits, in seconds: from good (tens of µs) to a bug (tens of ms and more).
pub const SHORT_SECONDS: &[f64] =
    &[0.00001, 0.0001, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 2.0, 10.0];
/// Buckets of counts.
pub const COUNTS: &[f64] = &[0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0];
/// Buckets of allocated bytes.
pub const BYTES: &[f64] = &[1e3, 1e4, 3e4, 1e5, 3e5, 1e6, 1e7, 1e8];
