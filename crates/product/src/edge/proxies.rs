//! Address and TLS of a client behind proxies. Only those in TRUSTED_PROXIES are believed, because
//! anybody can write a header.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{Extensions, HeaderMap, HeaderValue, header::STRICT_TRANSPORT_SECURITY},
    middleware::Next,
    response::Response,
};
use ipnet::IpNet;

const FORWARDED_FOR: &str = "x-forwarded-for";
const FORWARDED_PROTO: &str = "x-forwarded-proto";

/// HSTS for a year, the least that browsers' preload lists accept.
const A_YEAR: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Networks of trusted proxies.
#[derive(Clone)]
pub struct Proxies(Arc<[IpNet]>);

impl Proxies {
    pub fn new(trusted: &[IpNet]) -> Self {
        Self(trusted.into())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Address nearest to us that is not a trusted proxy's. Each proxy adds the address of its
    /// caller at the right, so the list is read from there, and only as far as proxies are trusted.
    pub fn client(&self, extensions: &Extensions, headers: &HeaderMap) -> IpAddr {
        let mut nearest = peer(extensions);
        // As bytes: a proxy may add to a line that the client began with invalid text.
        let lines = headers.get_all(FORWARDED_FOR).iter().rev().map(HeaderValue::as_bytes);
        let hops = lines.flat_map(|line| line.rsplit(|byte| *byte == b','));
        let mut hops = hops.map(<[u8]>::trim_ascii);
        while self.trusts(nearest) {
            match hops.find(|hop| !hop.is_empty()).and_then(address) {
                Some(hop) => nearest = hop,
                None => break,
            }
        }
        nearest
    }

    /// Address of the client, if it came through a trusted proxy.
    pub fn forwarded_client(&self, extensions: &Extensions, headers: &HeaderMap) -> Option<IpAddr> {
        self.trusts(peer(extensions)).then(|| self.client(extensions, headers))
    }

    /// True if the nearest proxy is trusted and was called over TLS.
    fn is_tls(&self, extensions: &Extensions, headers: &HeaderMap) -> bool {
        let line = headers.get_all(FORWARDED_PROTO).iter().next_back();
        let scheme = line.and_then(|line| line.to_str().ok()?.rsplit(',').next());
        self.trusts(peer(extensions)) && scheme.is_some_and(|s| s.trim() == "https")
    }
}

/// Other end of the connection. There is none if a router is called without a server.
fn peer(extensions: &Extensions) -> IpAddr {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>();
    peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(peer)| peer.ip().to_canonical())
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:80`.
fn address(hop: &[u8]) -> Option<IpAddr> {
    let hop = str::from_utf8(hop).ok()?;
    let bare = hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']')).unwrap_or(hop);
    let address = bare.parse().or_else(|_| hop.parse().map(|with_port: SocketAddr| with_port.ip()));
    address.ok().map(|address| address.to_canonical())
}

/// Adds HSTS for clients that come over TLS. Over plain HTTP browsers ignore it.
pub async fn demand_tls(State(proxies): State<Proxies>, request: Request, next: Next) -> Response {
    let is_tls = proxies.is_tls(request.extensions(), request.headers());
    let mut response = next.run(request).await;
    if is_tls {
        response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, A_YEAR);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &[&str], peer: &str, forwarded: &[&str]) -> String {
        let trusted: Vec<IpNet> = trusted.iter().map(|net| net.parse().unwrap()).collect();
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 4711)));
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(FORWARDED_FOR, HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        Proxies::new(&trusted).client(&extensions, &headers).to_string()
    }

    #[test]
    fn nobody_is_believed_but_trusted_proxies() {
        assert_eq!(client(&[], "192.0.2.9", &["198.51.100.1"]), "192.0.2.9");
        assert_eq!(client(&["10.0.0.0/8"], "192.0.2.9", &["198.51.100.1"]), "192.0.2.9");
        assert_eq!(client(&["10.0.0.0/8"], "10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
    }

    #[test]
    fn the_right_most_address_that_is_no_proxy_counts() {
        let of = |lines: &[&str]| client(&["10.0.0.0/8", "2001:db8::/32"], "10.0.0.1", lines);
        assert_eq!(of(&["1.1.1.1, 198.51.100.1, 10.0.0.2"]), "198.51.100.1");
        assert_eq!(of(&["1.1.1.1", "198.51.100.1", "10.0.0.2,10.0.0.3"]), "198.51.100.1");
        assert_eq!(of(&["198.51.100.1:50123"]), "198.51.100.1");
        assert_eq!(of(&["2a00::1, 2001:db8::5"]), "2a00::1");
        assert_eq!(of(&["[2a00::1]:443,[2001:db8::5]"]), "2a00::1");
        assert_eq!(of(&["::ffff:198.51.100.1"]), "198.51.100.1");
        assert_eq!(of(&["10.9.9.9, 10.0.0.2"]), "10.9.9.9", "all are proxies");
    }

    #[test]
    fn garbage_ends_the_list_at_the_last_trusted_hop() {
        let of = |lines: &[&str]| client(&["10.0.0.0/8"], "10.0.0.1", lines);
        assert_eq!(of(&[]), "10.0.0.1");
        assert_eq!(of(&["", " , ,"]), "10.0.0.1");
        assert_eq!(of(&["198.51.100.1, unknown"]), "10.0.0.1");
        assert_eq!(of(&["198.51.100.1, unknown, 10.0.0.2"]), "10.0.0.2");
        assert_eq!(of(&["198.51.100.1, é"]), "10.0.0.1");
        assert_eq!(of(&["é, 198.51.100.1"]), "198.51.100.1");
        assert_eq!(of(&["é", "198.51.100.1"]), "198.51.100.1");
        assert_eq!(of(&["1.1.1.1.1"]), "10.0.0.1");
    }
}
