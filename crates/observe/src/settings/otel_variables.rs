//! OpenTelemetry's variables, which SDK and exporter read by themselves. A value that they do not
//! understand they ignore, or they log it before there is a log; here it ends the start.

use std::env;

use axum::http::{HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;
use reqwest::Url;

pub type Pairs = Vec<(String, String)>;

/// Check of a value; its error says what is needed. None has the value, which may be a secret.
type Check = fn(&str) -> Result<(), &'static str>;

/// Variables of the exporter, each also in a form for traces alone.
const EXPORTER: [(&str, Check); 5] = [
    ("ENDPOINT", endpoint),
    ("PROTOCOL", |value| one_of(value, &["grpc", "http/protobuf"], "grpc or http/protobuf")),
    ("HEADERS", headers),
    ("TIMEOUT", millis),
    ("COMPRESSION", |value| one_of(value, &["gzip", "none"], "gzip or none")),
];

/// Variables of the SDK.
const SDK: [(&str, Check); 7] = [
    ("OTEL_TRACES_SAMPLER", |value| one_of(value, &SAMPLERS, SAMPLERS_NEEDED)),
    ("OTEL_TRACES_SAMPLER_ARG", ratio),
    ("OTEL_RESOURCE_ATTRIBUTES", |value| pairs(value).map(drop).ok_or(PAIRS_NEEDED)),
    ("OTEL_BSP_SCHEDULE_DELAY", millis),
    ("OTEL_BSP_MAX_QUEUE_SIZE", spans),
    ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", spans),
    ("OTEL_BSP_EXPORT_TIMEOUT", |_| Err("the SDK ignores it; OTEL_EXPORTER_OTLP_TIMEOUT works")),
];

const SAMPLERS: [&str; 6] = [
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
];
const SAMPLERS_NEEDED: &str =
    "always_on, always_off or traceidratio is needed, or one of them after parentbased_";
const PAIRS_NEEDED: &str = "key=value,key=value with percent-encoded values is needed";

/// Most spans that a queue may be set to hold: a hundred MiB or more.
const MOST_SPANS: usize = 100_000;

/// Longest time accepted, an hour: a longer one is a typing error.
const MOST_MILLIS: u64 = 3_600_000;

/// Checks the variables of this process.
///
/// # Errors
/// Returns one line that names the first variable whose value would be ignored.
pub fn check() -> Result<(), String> {
    let exporter = EXPORTER.iter().flat_map(|(name, check)| {
        ["", "TRACES_"].map(|signal| (format!("OTEL_EXPORTER_OTLP_{signal}{name}"), check))
    });
    let sdk = SDK.iter().map(|(name, check)| ((*name).to_owned(), check));
    let [all, traces] = ["OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"];
    if value(all).is_some() && value(traces).is_none() && env::var_os(traces).is_some() {
        return Err(format!("{traces}: empty, it would hide {all}"));
    }
    for (name, check) in exporter.chain(sdk) {
        value(&name).map_or(Ok(()), |value| check(&value)).map_err(|e| format!("{name}: {e}"))?;
    }
    Ok(())
}

/// Value of a variable; None if it is empty, by the specification.
pub fn value(name: &str) -> Option<String> {
    env::var_os(name).map(|value| value.to_string_lossy().into_owned()).filter(|v| !v.is_empty())
}

/// Value of a variable of the exporter. That for traces alone goes first.
pub fn of_exporter(name: &str) -> Option<String> {
    let of = |signal| value(&format!("OTEL_EXPORTER_OTLP_{signal}{name}"));
    of("TRACES_").or_else(|| of(""))
}

fn one_of(text: &str, known: &[&str], needed: &'static str) -> Result<(), &'static str> {
    known.contains(&text).then_some(()).ok_or(needed)
}

fn endpoint(text: &str) -> Result<(), &'static str> {
    const NEEDED: &str = "a URL such as http://127.0.0.1:4317 is needed";
    let url = Url::parse(text).map_err(|_| NEEDED)?;
    // The URL appears in error messages, and these in the log.
    if !url.username().is_empty() || url.password().is_some() {
        return Err("credentials belong in OTEL_EXPORTER_OTLP_HEADERS");
    }
    (["http", "https"].contains(&url.scheme()) && url.has_host()).then_some(()).ok_or(NEEDED)
}

fn headers(text: &str) -> Result<(), &'static str> {
    let is_header = |(name, value): &(String, String)| {
        HeaderName::from_bytes(name.as_bytes()).is_ok() && HeaderValue::from_str(value).is_ok()
    };
    let pairs = pairs(text).ok_or(PAIRS_NEEDED)?;
    let are_headers = pairs.iter().all(|pair| is_header(pair) && !pair.1.is_empty());
    are_headers.then_some(()).ok_or("a name or a value can't be a header")
}

fn millis(text: &str) -> Result<(), &'static str> {
    let is_good = text.parse().is_ok_and(|millis| (1..=MOST_MILLIS).contains(&millis));
    is_good.then_some(()).ok_or("a whole number of milliseconds from 1 to 3600000 is needed")
}

fn spans(text: &str) -> Result<(), &'static str> {
    let is_good = text.parse().is_ok_and(|spans| (1..=MOST_SPANS).contains(&spans));
    is_good.then_some(()).ok_or("a whole number from 1 to 100000 is needed")
}

fn ratio(text: &str) -> Result<(), &'static str> {
    let is_good = text.parse::<f64>().is_ok_and(|ratio| (0.0..=1.0).contains(&ratio));
    is_good.then_some(()).ok_or("a number from 0 to 1 is needed")
}

/// Parses `key=value,key=value`; values are percent-encoded, keys are names.
pub fn pairs(text: &str) -> Option<Pairs> {
    let pair = |text: &str| {
        let (key, value) = text.split_once('=')?;
        let key = key.trim();
        let is_name = !key.is_empty() && key.bytes().all(|b| b.is_ascii_graphic());
        is_name.then_some(())?;
        let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
        Some((key.to_owned(), value.into_owned()))
    };
    text.split(',').filter(|text| !text.trim().is_empty()).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_decoded_and_what_is_no_pair_is_refused() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let parsed = pairs("deployment.environment.name=the%20stage, team = a=b ,").unwrap();
        assert_eq!(parsed, [pair("deployment.environment.name", "the stage"), pair("team", "a=b")]);
        for bad in ["a", "=b", "a=%ff", "a b=c"] {
            assert!(pairs(bad).is_none(), "{bad}");
        }
    }
}
