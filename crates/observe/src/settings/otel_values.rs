//! Parsers of OpenTelemetry's values; each error is one line.

use std::time::Duration;

use reqwest::Url;

/// Value of a setting, or None if the text was empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given<T>(pub Option<T>);

pub type Pairs = Vec<(String, String)>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Grpc,
    HttpProtobuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    Gzip,
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exporter {
    Otlp,
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampler {
    pub is_parent_based: bool,
    pub share: Share,
}

/// Sampled share of the requests whose parent has not decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    All,
    None,
    /// Share given by OTEL_TRACES_SAMPLER_ARG.
    Ratio,
}

/// Most spans that a queue may be set to hold: a hundred MiB or more.
const MOST_SPANS: usize = 100_000;

/// Longest time accepted: a longer one is a typing error.
const LONGEST: Duration = Duration::from_hours(1);

/// Wraps `parse` so that an empty text is no value.
pub fn given<T>(
    parse: fn(&str) -> Result<T, String>,
) -> impl Fn(&str) -> Result<Given<T>, String> + Clone {
    move |text| if text.is_empty() { Ok(Given(None)) } else { Ok(Given(Some(parse(text)?))) }
}

fn one_of<T: Copy>(text: &str, known: &[(&str, T)]) -> Result<T, String> {
    known.iter().find(|(name, _)| *name == text).map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<_> = known.iter().map(|(name, _)| *name).collect();
        format!("one of {} is needed", names.join(", "))
    })
}

pub fn exporter(text: &str) -> Result<Exporter, String> {
    one_of(text, &[("otlp", Exporter::Otlp), ("none", Exporter::None)])
}

pub fn protocol(text: &str) -> Result<Protocol, String> {
    one_of(text, &[("grpc", Protocol::Grpc), ("http/protobuf", Protocol::HttpProtobuf)])
}

pub fn compression(text: &str) -> Result<Compression, String> {
    one_of(text, &[("gzip", Compression::Gzip), ("none", Compression::None)])
}

pub fn sampler(text: &str) -> Result<Sampler, String> {
    let known = |is_parent_based, share| Sampler { is_parent_based, share };
    one_of(
        text,
        &[
            ("always_on", known(false, Share::All)),
            ("always_off", known(false, Share::None)),
            ("traceidratio", known(false, Share::Ratio)),
            ("parentbased_always_on", known(true, Share::All)),
            ("parentbased_always_off", known(true, Share::None)),
            ("parentbased_traceidratio", known(true, Share::Ratio)),
        ],
    )
}

pub fn endpoint(text: &str) -> Result<String, String> {
    let needed = "a URL such as http://127.0.0.1:4317 is needed";
    match Url::parse(text).map_err(|_| needed)? {
        // The URL appears in error messages, and these in the log.
        url if !url.username().is_empty() || url.password().is_some() => {
            Err("credentials belong in OTEL_EXPORTER_OTLP_HEADERS".to_owned())
        }
        url if ["http", "https"].contains(&url.scheme()) && url.has_host() => {
            let (_, rest) = text.split_once(':').ok_or(needed)?;
            Ok(format!("{}:{}", url.scheme(), rest.trim_end_matches('/')))
        }
        _ => Err(needed.to_owned()),
    }
}

pub fn ratio(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(ratio) if (0.0..=1.0).contains(&ratio) => Ok(ratio),
        _ => Err("a number from 0 to 1 is needed".to_owned()),
    }
}

pub fn name(text: &str) -> Result<String, String> {
    Ok(text.to_owned())
}

pub fn millis(text: &str) -> Result<Duration, String> {
    match text.parse().map(Duration::from_millis) {
        Ok(time) if !time.is_zero() && time <= LONGEST => Ok(time),
        _ => Err(format!(
            "a whole number of milliseconds from 1 to {} is needed",
            LONGEST.as_millis()
        )),
    }
}

pub fn queue(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(spans) if (1..=MOST_SPANS).contains(&spans) => Ok(spans),
        _ => Err(format!("a whole number from 1 to {MOST_SPANS} is needed")),
    }
}

/// Parses `key=value,key=value`; values are percent-encoded, keys are names.
pub fn pairs(text: &str) -> Result<Pairs, String> {
    let pair = |text: &str| {
        let (key, value) = text.split_once('=')?;
        let key = key.trim();
        let is_name = !key.is_empty() && key.bytes().all(|b| b.is_ascii_graphic());
        is_name.then_some(())?;
        Some((key.to_owned(), decoded(value.trim())?))
    };
    let pairs: Option<_> =
        text.split(',').filter(|text| !text.trim().is_empty()).map(pair).collect();
    // The message omits the text, which may hold a token.
    pairs.ok_or_else(|| "key=value,key=value with percent-encoded values is needed".to_owned())
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first == b'%' {
            let (hex, after) = after.split_at_checked(2)?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()?);
            rest = after;
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_decoded_and_what_is_no_pair_is_refused() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let parsed = pairs("deployment.environment.name=the%20stage, team = a=b ,").unwrap();
        assert_eq!(parsed, [pair("deployment.environment.name", "the stage"), pair("team", "a=b")]);
        for bad in ["a", "=b", "a=%2", "a=%zz", "a=%ff", "a b=c"] {
            assert!(pairs(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_empty_value_was_not_given() {
        assert_eq!(given(ratio)("").unwrap(), Given(None));
        assert_eq!(given(ratio)("0.25").unwrap(), Given(Some(0.25)));
        assert!(given(ratio)("1.5").is_err());
    }
}
