//! Who may call ops. A web page that somebody has open can send requests to it as well: under a name that
//! was made to lead here (DNS rebinding), or from its own origin without being able to read the answer.

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{
        HeaderMap, HeaderName, Method, Uri, Version,
        header::{HOST, ORIGIN, REFERER},
        uri::Authority,
    },
    middleware::Next,
    response::Response,
};
use metrics::counter;

use observe::seldom::Seldom;
use product::metrics as names;
use product::{
    config::{Config, host_name},
    error::Error,
};

/// A browser sends it to loopback and over TLS, and no page can write it.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// How often each kind of refusal is logged; all are counted.
const SAID_EVERY: Duration = Duration::from_secs(1);

/// What ops is called by.
#[derive(Clone)]
pub struct Names {
    listens_at: IpAddr,
    more: Arc<[String]>,
}

impl Names {
    pub fn of(config: &Config) -> Self {
        let listens_at = config.ops_listen.ip().to_canonical();
        Self { listens_at, more: config.ops_hosts.iter().cloned().collect() }
    }

    /// Any port will do: a proxy in front has another one.
    fn contain(&self, said: &Authority) -> bool {
        // Refused as a user would be: nobody writes a name like this.
        let Ok(host) = host_name(said.host()) else { return false };
        let is_named = host == "localhost" || self.more.contains(&host);
        let ip = host.trim_matches(['[', ']']).parse::<IpAddr>().map(|ip| ip.to_canonical());
        // On all addresses any will do: only a name can be made to lead elsewhere.
        let is_ours = |ip: IpAddr| {
            ip.is_loopback() || ip == self.listens_at || self.listens_at.is_unspecified()
        };
        is_named || ip.is_ok_and(is_ours)
    }
}

/// A page of another origin, a name that is not ours, or neither.
pub async fn check(
    State(names): State<Names>,
    request: Request,
    next: Next,
) -> Result<Response, Error> {
    let (headers, uri) = (request.headers(), request.uri());
    let host = match host(headers, uri, request.version()) {
        Ok(host) => host,
        Err(error) => return Err(refused(&BY_HOST, error, headers)),
    };
    if let Some(host) = &host
        && !names.contain(host)
    {
        let why = "ops is not called by this name in the Host header: OPS_HOSTS adds names";
        return Err(refused(&BY_HOST, Error::Forbidden(why), headers));
    }
    if needs_same_origin(&request) && !is_same_origin(headers, host.as_ref()) {
        let why = "a page of another origin asks for this; open it from a page of this server, or \
                   by typing its address";
        return Err(refused(&BY_ORIGIN, Error::Forbidden(why), headers));
    }
    Ok(next.run(request).await)
}

/// Host and target as far as they name somebody. HTTP/1.0 need not, and no browser speaks it.
fn host(headers: &HeaderMap, uri: &Uri, version: Version) -> Result<Option<Authority>, Error> {
    let malformed = |why: &str| Err(Error::Malformed(why.to_owned()));
    let mut said = headers.get_all(HOST).iter();
    let header = match (said.next(), said.next()) {
        (Some(one), None) => match Authority::try_from(one.as_bytes()) {
            Ok(host) if !host.as_str().contains('@') => Some(host),
            _ => return malformed("the Host header is no host"),
        },
        (Some(_), Some(_)) => return malformed("there is more than one Host header"),
        (None, _) => None,
    };
    match (uri.authority(), header) {
        // It stands for the Host, which must not say something else.
        (Some(target), Some(header)) if !is_same(target, &header) => {
            malformed("target and Host header name different hosts")
        }
        (Some(target), _) => Ok(Some(target.clone())),
        (None, None) if version == Version::HTTP_11 => malformed("the Host header is missing"),
        (None, header) => Ok(header),
    }
}

fn is_same(a: &Authority, b: &Authority) -> bool {
    a.as_str().eq_ignore_ascii_case(b.as_str())
}

/// Whatever changes something, and what costs: it takes a profile, or draws one.
fn needs_same_origin(request: &Request) -> bool {
    const CHEAP: &str = "/debug/pprof/captures";
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    ![Method::GET, Method::HEAD].contains(request.method())
        || route.starts_with("/debug/pprof/") && route != CHEAP
}

/// Asked by a page of this server, or by no page at all.
fn is_same_origin(headers: &HeaderMap, host: Option<&Authority>) -> bool {
    let all = |name: HeaderName| headers.get_all(name).into_iter().map(|value| value.as_bytes());
    let from_own_page = all(FETCH_SITE).any(|site| site == b"same-origin");
    let is_of_us = |origin: &[u8]| {
        let origin = Uri::try_from(origin).ok();
        let origin = origin.as_ref().and_then(Uri::authority);
        origin.zip(host).is_some_and(|(origin, host)| is_same(origin, host))
    };
    all(FETCH_SITE).all(|site| site == b"same-origin" || site == b"none")
        // Our pages send no referrer, and then a form of theirs sends `null`.
        && all(ORIGIN).all(|origin| is_of_us(origin) || origin == b"null" && from_own_page)
        // On plain http and off loopback a picture of another page sends nothing else.
        && all(REFERER).all(|page| is_of_us(page) || from_own_page)
}

struct Reason {
    label: &'static str,
    said: Seldom,
}

static BY_HOST: Reason = Reason { label: "host", said: Seldom::every(SAID_EVERY) };
static BY_ORIGIN: Reason = Reason { label: "origin", said: Seldom::every(SAID_EVERY) };

fn refused(reason: &Reason, error: Error, headers: &HeaderMap) -> Error {
    counter!(names::OPS_REFUSED, "reason" => reason.label).increment(1);
    if reason.said.may_say() {
        let [host, origin, site] = [HOST, ORIGIN, FETCH_SITE].map(|name| headers.get(name));
        tracing::warn!(
            reason = reason.label,
            ?host,
            ?origin,
            ?site,
            "refused a request to ops; of many in a second only one is logged"
        );
    }
    error
}
