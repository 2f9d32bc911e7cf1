//! Access to ops, if a token is set: everything by the token or its session, only watching by a
//! follower's session.

use axum::{
    extract::{Request, State},
    http::header::ORIGIN,
    middleware::Next,
    response::Response,
};

use super::{
    OpsState, callers,
    sessions::{Access, Granted, LINK},
};
use product::error::Error;

/// Reads that take a profile, for which the server has only one profiler.
const TAKES_PROFILE: [&str; 3] =
    ["/debug/pprof/profile", "/debug/pprof/flamegraph", "/debug/pprof/heap"];

/// Refuses a request that its token or its cookie does not allow.
pub async fn check(
    State(OpsState { sessions, .. }): State<OpsState>,
    request: Request,
    next: Next,
) -> Result<Response, Error> {
    let Some(sessions) = sessions else { return Ok(next.run(request).await) };
    match sessions.granted(request.headers()) {
        None => {
            let why = "the ops token is needed, as a bearer token or exchanged at /session";
            return Err(Error::Unauthorized(why));
        }
        Some(granted) => allow(granted, &request)?,
    }
    Ok(next.run(request).await)
}

fn allow(granted: Granted, request: &Request) -> Result<(), Error> {
    let Granted { access, by_cookie, .. } = granted;
    let changes = callers::changes(request);
    let route = callers::route(request);
    let is_for_all = !changes && !TAKES_PROFILE.contains(&route) && route != LINK;
    if access == Access::Read && !is_for_all {
        return Err(Error::Forbidden("this is a follower's session, which may watch only"));
    }
    // A browser sends the cookie by itself, so it has to say which page wants this. Whether that is
    // one of ours has been checked.
    if by_cookie && changes && !request.headers().contains_key(ORIGIN) {
        return Err(Error::Forbidden(
            "a request with a cookie needs an Origin to change something",
        ));
    }
    Ok(())
}
