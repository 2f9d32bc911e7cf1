//! Host header of a request. RFC 9112 demands 400 if it is missing, repeated, or no host.

use std::{
    net::Ipv6Addr,
    task::{Context, Poll},
};

use axum::{
    extract::Request,
    http::{HeaderValue, Version, header::HOST},
    response::{IntoResponse, Response},
};
use futures_util::future::{Either, Ready, ready};
use tower::{Layer, Service};

use crate::error::Error;

/// Layer that demands a Host header. It does not check that the host is one of ours.
#[derive(Clone, Copy)]
pub struct DemandHost;

impl<S> Layer<S> for DemandHost {
    type Service = HostDemanded<S>;

    fn layer(&self, inner: S) -> HostDemanded<S> {
        HostDemanded(inner)
    }
}

#[derive(Clone)]
pub struct HostDemanded<S>(S);

impl<S: Service<Request, Response = Response>> Service<Request> for HostDemanded<S> {
    type Response = Response;
    type Error = S::Error;
    type Future = Either<S::Future, Ready<Result<Response, S::Error>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        if let Err(error) = host_header(&request) {
            return Either::Right(ready(Ok(error.into_response())));
        }
        Either::Left(self.0.call(request))
    }
}

/// Host header of a request, checked. None where it needs none: HTTP/1.0 has no such header, HTTP/2
/// has the pseudo-header `:authority`.
pub fn host_header(request: &Request) -> Result<Option<&HeaderValue>, Error> {
    let malformed = |why: &str| Err(Error::Malformed(why.to_owned()));
    let mut hosts = request.headers().get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (_, Some(_)) => malformed("the request has more than one Host header"),
        (Some(host), None) if is_host(host.as_bytes()) => Ok(Some(host)),
        (Some(_), None) => malformed("the Host header is no host"),
        (None, None) if request.version() < Version::HTTP_11 => Ok(None),
        (None, None) if request.version() > Version::HTTP_11 && request.uri().host().is_some() => {
            Ok(None)
        }
        (None, None) => malformed("the request has no Host header"),
    }
}

/// True for `uri-host [":" port]` of RFC 9110, but not for an empty host, which names nobody.
fn is_host(host: &[u8]) -> bool {
    let (name, port) = match host {
        [b'[', rest @ ..] => {
            let Some(end) = rest.iter().position(|&b| b == b']') else { return false };
            let literal = str::from_utf8(&rest[..end]).ok();
            if literal.and_then(|text| text.parse::<Ipv6Addr>().ok()).is_none() {
                return false;
            }
            (&b"-"[..], &rest[end + 1..])
        }
        _ => host.split_at(host.iter().position(|&b| b == b':').unwrap_or(host.len())),
    };
    let is_port = |port: &[u8]| {
        let [b':', digits @ ..] = port else { return port.is_empty() };
        digits.iter().all(u8::is_ascii_digit)
            && (digits.is_empty() || str::from_utf8(digits).is_ok_and(|n| n.parse::<u16>().is_ok()))
    };
    !name.is_empty() && is_name(name) && is_port(port)
}

/// True for a `reg-name` of RFC 3986.
fn is_name(mut name: &[u8]) -> bool {
    while let [byte, rest @ ..] = name {
        name = match (byte, rest) {
            (b'%', [high, low, rest @ ..])
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                rest
            }
            (b'%', _) => return false,
            (byte, rest) if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(byte) => {
                rest
            }
            _ => return false,
        };
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_told_from_what_is_none() {
        for host in
            ["a", "a:80", "a:", "127.0.0.1:8000", "[::1]", "[::1]:8000", "a.b-c_d", "a%20b", "x,y"]
        {
            assert!(is_host(host.as_bytes()), "{host}");
        }
        for host in [
            "", ":80", "a b", "a/b", "a?b", "u@a", "a:b", "a:99999", "a:80:80", "[::1", "[x]",
            "[::1]80", "::1", "a%2", "a%zz", "http://a", "a\u{e9}", "<a>", "a\"",
        ] {
            assert!(!is_host(host.as_bytes()), "{host}");
        }
    }
}
