//! Checks the whole `tracestate` before the propagator reads it: the propagator accepts invalid
//! members, and cuts long ones.

use axum::http::{HeaderMap, HeaderName};

pub const NAME: HeaderName = HeaderName::from_static("tracestate");

/// Most members of a list.
const MAX_MEMBERS: usize = 32;

const MAX_KEY: usize = 256;
const MAX_VALUE: usize = 256;

/// Joins the client's headers, which are one list. None if any member breaks the standard: a list
/// is passed on whole or not at all.
pub fn of(headers: &HeaderMap) -> Option<String> {
    let sent: Result<Vec<_>, _> =
        headers.get_all(NAME).iter().map(|value| value.to_str()).collect();
    let sent = sent.ok()?.join(",");
    let members = sent.split(',').map(|member| member.trim_matches([' ', '\t']));
    let members: Vec<_> = members.filter(|member| !member.is_empty()).collect();
    let is_good = !members.is_empty()
        && members.len() <= MAX_MEMBERS
        && members.iter().all(|member| {
            member.split_once('=').is_some_and(|(key, value)| is_key(key) && is_value(value))
        });
    is_good.then(|| members.join(","))
}

fn is_key(key: &str) -> bool {
    let is_alnum = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_part = |part: &str| {
        part.bytes().next().is_some_and(is_alnum)
            && part.bytes().all(|byte| is_alnum(byte) || b"_-*/".contains(&byte))
    };
    key.len() <= MAX_KEY && key.splitn(2, '@').all(is_part)
}

/// True for a valid value, without spaces around it.
fn is_value(value: &str) -> bool {
    (1..=MAX_VALUE).contains(&value.len())
        && value.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'=')
}
