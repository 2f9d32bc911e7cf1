//! Parsers of settings. An error is one line with the reason; the caller names the setting.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    time::Duration,
};

use axum::http::Uri;
use ipnet::IpNet;
use sea_orm::sqlx::postgres::PgConnectOptions;

/// Rate: `max` times in `per`; None is without limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate(pub Option<Limit>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    pub max: NonZeroU32,
    pub per: Duration,
}

impl Limit {
    /// Time after which one more is allowed; never zero.
    pub fn interval(&self) -> Duration {
        (self.per / self.max.get()).max(Duration::from_nanos(1))
    }
}

/// Longest time of something; None is without limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline(pub Option<Duration>);

impl fmt::Display for Deadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(time) => humantime::format_duration(time).fmt(f),
            None => f.write_str("off"),
        }
    }
}

pub fn database_url(url: &str) -> Result<String, String> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        let parsed = url.parse::<PgConnectOptions>().map(|_| url.to_owned());
        return parsed.map_err(|_| "a URL such as postgres://user@host:5432/name is needed".into());
    }
    let path = url.strip_prefix("sqlite://").ok_or("sqlite://… or postgres://… is needed")?;
    // Each pooled connection would open a memory database of its own.
    if path.is_empty() || path.starts_with(":memory:") || path.contains("mode=memory") {
        return Err("the path of a file must follow sqlite://".to_owned());
    }
    Ok(url.to_owned())
}

pub fn at_least_one(value: &str) -> Result<usize, String> {
    match value.parse() {
        Ok(n @ 1..=1024) => Ok(n),
        _ => Err("a whole number from 1 to 1024 is needed".to_owned()),
    }
}

pub fn ops_token(token: &str) -> Result<String, String> {
    if token.len() < 16 || !token.bytes().all(|b| b.is_ascii_graphic()) {
        return Err("at least 16 printable ASCII characters are needed".to_owned());
    }
    Ok(token.to_owned())
}

pub fn duration(text: &str) -> Result<Duration, String> {
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    humantime::parse_duration(text).map_err(|_| "a time such as 20ms, 15m or 7d is needed".into())
}

/// Parses a longest wait. Zero is invalid, because some programs take it for never and others for
/// at once.
pub fn patience(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(time) if (1..=3_600).contains(&time.as_secs()) => Ok(time),
        _ => Err("a time from 1s to 1h such as 10s is needed".to_owned()),
    }
}

pub fn deadline_or_off(text: &str) -> Result<Deadline, String> {
    if text == "off" {
        return Ok(Deadline(None));
    }
    let time = patience(text).map_err(|_| "a time from 1s to 1h such as 10s, or off, is needed")?;
    Ok(Deadline(Some(time)))
}

/// Parses a time after which the server no longer waits for a client.
pub fn deadline(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(time) if (Duration::from_millis(100)..=Duration::from_hours(1)).contains(&time) => {
            Ok(time)
        }
        _ => Err("a time from 100ms to 1h such as 10s is needed".to_owned()),
    }
}

/// Parses the lifetime of a token. Tokens count in seconds, and a year is the maximum.
pub fn lifetime(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(time) if (1..=365 * 86_400).contains(&time.as_secs()) => Ok(time),
        _ => Err("a time from 1s to 365d such as 15m is needed".to_owned()),
    }
}

/// Parses an age of rows. A second is for tests, and a hundred years is the maximum.
pub fn retention(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(time) if (1..=36_500 * 86_400).contains(&time.as_secs()) => Ok(time),
        _ => Err("a time from 1s to 36500d such as 30d is needed".to_owned()),
    }
}

/// Parses a pause that every request may have to wait for.
pub fn short_time(text: &str) -> Result<Duration, String> {
    let time = duration(text)?;
    if time > Duration::from_secs(1) {
        return Err("at most 1s is allowed".to_owned());
    }
    Ok(time)
}

pub fn redis_url(url: &str) -> Result<String, String> {
    match redis::Client::open(url) {
        Ok(_) if url.starts_with("redis://") => Ok(url.to_owned()),
        _ => Err("a URL such as redis://127.0.0.1:6379 is needed".to_owned()),
    }
}

pub fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0001..=0.5).contains(&share) => Ok(share),
        _ => Err("a number from 0.0001 to 0.5 is needed".to_owned()),
    }
}

pub fn jwt_secret(secret: &str) -> Result<String, String> {
    // Blanks around it are most likely a slip, and no secret.
    if secret.trim().len() < 32 {
        return Err("at least 32 bytes are needed, without blanks around them".to_owned());
    }
    Ok(secret.to_owned())
}

pub fn rate_or_off(text: &str) -> Result<Rate, String> {
    if text == "off" {
        return Ok(Rate(None));
    }
    let limit = text.split_once('/').and_then(|(max, unit)| {
        let per = match unit {
            "s" => 1,
            "min" => 60,
            "h" => 3_600,
            _ => return None,
        };
        Some(Limit { max: max.parse().ok()?, per: Duration::from_secs(per) })
    });
    match limit {
        Some(limit) => Ok(Rate(Some(limit))),
        None => Err("a rate such as 10/s, 30/min or 600/h, or off, is needed".to_owned()),
    }
}

/// Parses a network. One of IPv4 in IPv6 becomes IPv4, as addresses do when they are compared.
pub fn network(text: &str) -> Result<IpNet, String> {
    let address = |text: &str| text.parse::<IpAddr>().map(IpNet::from);
    let network: IpNet = text
        .parse()
        .or_else(|_| address(text))
        .map_err(|_| "an address or a network such as 10.0.0.0/8 is needed".to_owned())?;
    let mapped = network.prefix_len().checked_sub(96).zip(match network.addr() {
        IpAddr::V6(address) => address.to_ipv4_mapped(),
        IpAddr::V4(_) => None,
    });
    Ok(mapped.and_then(|(length, v4)| IpNet::new(v4.into(), length).ok()).unwrap_or(network))
}

/// Parses a name or an address as a Host header has it, without port. Returns it in lower case,
/// without the dot of the root at its end.
pub fn host_name(text: &str) -> Result<String, String> {
    let name = text.strip_suffix('.').unwrap_or(text);
    let address = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let is_good = match address {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => {
            let of_name = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
            !name.is_empty() && name.bytes().all(of_name)
        }
    };
    if !is_good {
        return Err("a name such as ops.example.com, without scheme and port, is needed".to_owned());
    }
    Ok(name.to_ascii_lowercase())
}

/// Parses the address that browsers know a port by. Returns it without a slash at its end.
pub fn public_url(text: &str) -> Result<String, String> {
    let needed =
        || "an address such as http://127.0.0.1:8081, without a path, is needed".to_owned();
    let url = origin(text.strip_suffix('/').unwrap_or(text)).map_err(|_| needed())?;
    let uri: Uri = url.parse().map_err(|_| needed())?;
    let is_whole = uri.host().is_some_and(|host| !host.is_empty()) && uri.path() == "/";
    let has_more = uri.query().is_some() || url.contains(['#', '@']);
    if is_whole && !has_more { Ok(url) } else { Err(needed()) }
}

/// Parses an origin: scheme, host and port as a browser sends them.
pub fn origin(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    match rest {
        Some(host)
            if !host.is_empty() && host.bytes().all(|b| b.is_ascii_graphic() && b != b'/') =>
        {
            Ok(text.to_owned())
        }
        _ => Err("an origin such as https://example.com, without a path, is needed".to_owned()),
    }
}
