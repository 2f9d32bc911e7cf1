//! Log-in and log-out of browsers, and the follower's link.

use std::time::Duration;

use axum::{
    Form, Json, Router,
    extract::{
        Query, State,
        rejection::{FormRejection, QueryRejection},
    },
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{HOST, LOCATION, SET_COOKIE},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use maud::html;
use serde::{Deserialize, Serialize};

use super::{Access, is_same, set_cookie};
use crate::ops::OpsState;
use observe::html::page;
use product::error::{Error, FieldError};

/// Path that shows the follower's link.
pub const LINK: &str = "/follower-link";

const REFRESH: HeaderName = HeaderName::from_static("refresh");

/// Routes that need no access.
pub fn router() -> Router<OpsState> {
    Router::new()
        .route("/session", get(session).post(log_in).delete(log_out))
        .route("/follow", get(follow))
}

/// Routes that need it.
pub fn links() -> Router<OpsState> {
    Router::new().route(LINK, get(follower_link))
}

#[derive(Serialize)]
struct SessionOut {
    access: Access,
    needs_token: bool,
    expires: Option<String>,
}

async fn session(
    State(OpsState { sessions, .. }): State<OpsState>,
    headers: HeaderMap,
) -> Json<SessionOut> {
    let Some(sessions) = sessions else {
        return Json(SessionOut { access: Access::Full, needs_token: false, expires: None });
    };
    let granted = sessions.granted(&headers);
    let expires = granted.and_then(|granted| granted.expires).map(|seconds| {
        let time = std::time::UNIX_EPOCH + Duration::from_secs(seconds);
        humantime::format_rfc3339_seconds(time).to_string()
    });
    let access = granted.map_or(Access::None, |granted| granted.access);
    Json(SessionOut { access, needs_token: true, expires })
}

#[derive(Deserialize)]
struct LogIn {
    token: Option<String>,
    next: Option<String>,
}

async fn log_in(
    State(OpsState { sessions, .. }): State<OpsState>,
    form: Result<Form<LogIn>, FormRejection>,
) -> Result<Response, Error> {
    let sessions = sessions.ok_or_else(no_token)?;
    let Form(LogIn { token, next }) = form.map_err(|error| Error::Malformed(error.body_text()))?;
    let next = checked_next(next);
    let token = token.ok_or_else(|| FieldError::new("token", "this field is needed"));
    let (token, next) = match (token, next) {
        (Ok(token), Ok(next)) => (token, next),
        (token, next) => {
            return Err(Error::Invalid(token.err().into_iter().chain(next.err()).collect()));
        }
    };
    if !is_same(&token, &sessions.token) {
        return Err(Error::Unauthorized("this is not the ops token"));
    }
    let location = HeaderValue::try_from(next).map_err(Error::internal)?;
    let headers = [(LOCATION, location), (SET_COOKIE, sessions.cookie(Access::Full)?)];
    Ok((StatusCode::SEE_OTHER, headers).into_response())
}

async fn log_out() -> Result<Response, Error> {
    let headers = [(SET_COOKIE, set_cookie("", Duration::ZERO)?)];
    Ok((StatusCode::NO_CONTENT, headers).into_response())
}

#[derive(Deserialize)]
struct Follow {
    key: Option<String>,
    next: Option<String>,
}

/// Gives a follower its cookie, and goes on from a page of this server: a browser that came by a link
/// of another page would send no strict cookie after a redirect.
async fn follow(
    State(OpsState { sessions, .. }): State<OpsState>,
    headers: HeaderMap,
    query: Result<Query<Follow>, QueryRejection>,
) -> Result<Response, Error> {
    let sessions = sessions.ok_or_else(no_token)?;
    let Query(Follow { key, next }) = query.map_err(|error| Error::Malformed(error.body_text()))?;
    if !is_same(&key.unwrap_or_default(), &sessions.follower_key) {
        return Err(Error::Unauthorized("this link is no longer valid: ask for the new one"));
    }
    let next = checked_next(next).map_err(|error| Error::Invalid(vec![error]))?;
    let has_more = sessions.granted(&headers).is_some_and(|g| g.access == Access::Full);
    let body = page("Watching", &html! { p { a href=(next) { "Go on" } } });
    let refresh = HeaderValue::try_from(format!("0; url={next}")).map_err(Error::internal)?;
    let mut response = ([(REFRESH, refresh)], body).into_response();
    // Who has full access keeps it.
    if !has_more {
        response.headers_mut().insert(SET_COOKIE, sessions.cookie(Access::Read)?);
    }
    Ok(response)
}

#[derive(Serialize)]
struct LinkOut {
    path: String,
    url: Option<String>,
}

async fn follower_link(
    State(OpsState { sessions, .. }): State<OpsState>,
    headers: HeaderMap,
) -> Result<Json<LinkOut>, Error> {
    let sessions = sessions.ok_or_else(no_token)?;
    let path = format!("/follow?key={}", sessions.follower_key);
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let url = host.map(|host| format!("http://{host}{path}"));
    Ok(Json(LinkOut { path, url }))
}

fn no_token() -> Error {
    Error::NotFound("this server has no OPS_TOKEN, so nobody needs a session".to_owned())
}

/// Path to go on to: one of this server, or `/`.
fn checked_next(next: Option<String>) -> Result<String, FieldError> {
    let next = next.unwrap_or_else(|| "/".to_owned());
    let is_path = next.starts_with('/')
        && !next.starts_with("//")
        && next.bytes().all(|b| b.is_ascii_graphic() && !b"\\\"<>".contains(&b));
    if is_path { Ok(next) } else { Err(FieldError::new("next", "a path of this server is needed")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_path_of_this_server_comes_next() {
        for path in ["/", "/labs/n-plus-one?race=1#why"] {
            assert_eq!(checked_next(Some(path.to_owned())).unwrap(), path);
        }
        for other in ["", "labs", "//evil.test", "/\\evil.test", "http://evil.test", "/a b", "/\n"]
        {
            assert!(checked_next(Some(other.to_owned())).is_err(), "{other:?}");
        }
    }
}
