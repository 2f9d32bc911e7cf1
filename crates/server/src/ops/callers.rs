//! Callers that ops accepts. A web page in somebody's browser can send requests to it too: under a
//! name that leads here (DNS rebinding), or from its own origin without reading the answer.

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{
        HeaderMap, HeaderName, Method, Uri,
        header::{HOST, ORIGIN, REFERER},
        uri::Authority,
    },
    middleware::Next,
    response::Response,
};
use metrics::counter;

use observe::throttle::Throttle;
use product::metrics as names;
use product::{
    config::{Config, host_name},
    edge::host_header,
    error::Error,
};

/// Header of browsers on loopback and over TLS, which no page can set.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Shortest interval of log lines for each kind of refusal; all refusals are counted.
const LOGGED_EVERY: Duration = Duration::from_secs(1);

/// Hosts under which ops may be called.
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

    /// True if ops may be called by this host. Any port is valid: a proxy in front has another one.
    fn contain(&self, authority: &Authority) -> bool {
        // A name that can't be valid is refused like an unknown one.
        let Ok(host) = host_name(authority.host()) else { return false };
        let is_named = host == "localhost" || self.more.contains(&host);
        let ip = host.trim_matches(['[', ']']).parse::<IpAddr>().map(|ip| ip.to_canonical());
        // On an unspecified address any IP is valid: only a name can be made to lead here.
        let is_ours = |ip: IpAddr| {
            ip.is_loopback() || ip == self.listens_at || self.listens_at.is_unspecified()
        };
        is_named || ip.is_ok_and(is_ours)
    }
}

/// Refuses a page of another origin, and a host that is not ours.
pub async fn check(
    State(names): State<Names>,
    request: Request,
    next: Next,
) -> Result<Response, Error> {
    let headers = request.headers();
    let host = match host(&request) {
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

/// Host of the request, from target and header. HTTP/1.0 may have none; no browser uses it.
fn host(request: &Request) -> Result<Option<Authority>, Error> {
    let malformed = |why: &str| Error::Malformed(why.to_owned());
    let header = host_header(request)?.map(|host| Authority::try_from(host.as_bytes()));
    let header = header.transpose().map_err(|_| malformed("the Host header is no host"))?;
    match (request.uri().authority(), header) {
        // The target stands for the Host header, which must not differ.
        (Some(target), Some(header)) if !is_same(target, &header) => {
            Err(malformed("target and Host header name different hosts"))
        }
        (Some(target), _) => Ok(Some(target.clone())),
        (None, header) => Ok(header),
    }
}

fn is_same(a: &Authority, b: &Authority) -> bool {
    a.as_str().eq_ignore_ascii_case(b.as_str())
}

/// True for requests that change something or are expensive: that take or draw a profile.
fn needs_same_origin(request: &Request) -> bool {
    const CHEAP: &str = "/debug/pprof/captures";
    let route = route(request);
    changes(request) || route.starts_with("/debug/pprof/") && route != CHEAP
}

/// Template of the request's path; empty if it has none.
pub fn route(request: &Request) -> &str {
    request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str)
}

/// True for requests that may change something.
pub fn changes(request: &Request) -> bool {
    ![Method::GET, Method::HEAD].contains(request.method())
}

/// True if a page of this server sent it, or no page at all.
fn is_same_origin(headers: &HeaderMap, host: Option<&Authority>) -> bool {
    let all = |name: HeaderName| headers.get_all(name).into_iter().map(|value| value.as_bytes());
    let from_own_page = all(FETCH_SITE).any(|site| site == b"same-origin");
    let is_of_us = |origin: &[u8]| {
        let origin = Uri::try_from(origin).ok();
        let origin = origin.as_ref().and_then(Uri::authority);
        origin.zip(host).is_some_and(|(origin, host)| is_same(origin, host))
    };
    all(FETCH_SITE).all(|site| site == b"same-origin" || site == b"none")
        // Our pages send no referrer, so their forms send the origin `null`.
        && all(ORIGIN).all(|origin| is_of_us(origin) || origin == b"null" && from_own_page)
        // On plain http and off loopback, another page's image request sends only this header.
        && all(REFERER).all(|page| is_of_us(page) || from_own_page)
}

struct Reason {
    label: &'static str,
    logged: Throttle,
}

static BY_HOST: Reason = Reason { label: "host", logged: Throttle::every(LOGGED_EVERY) };
static BY_ORIGIN: Reason = Reason { label: "origin", logged: Throttle::every(LOGGED_EVERY) };

fn refused(reason: &Reason, error: Error, headers: &HeaderMap) -> Error {
    counter!(names::OPS_REFUSED, "reason" => reason.label).increment(1);
    if reason.logged.allows() {
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
