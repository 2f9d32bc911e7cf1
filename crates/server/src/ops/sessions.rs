//! Sessions of browsers: the token is exchanged once for a cookie, and a follower's link for one that
//! may only watch. A cookie is a signed token of its own; its key ends with this process.

use std::time::Duration;

use axum::{
    Form, Json, Router,
    extract::{
        Query, State,
        rejection::{FormRejection, QueryRejection},
    },
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{COOKIE, HOST, LOCATION, SET_COOKIE},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode, get_current_timestamp,
};
use maud::html;
use serde::{Deserialize, Serialize};

use super::OpsState;
use observe::html::page;
use product::{
    api::auth::bearer,
    error::{Error, FieldError},
};

const NAME: &str = "ops_session";
const ISSUER: &str = "chokepoint-ops";
/// A workshop's day.
const LASTS: Duration = Duration::from_secs(12 * 60 * 60);
/// Path that shows the follower's link.
pub const LINK: &str = "/follower-link";

const REFRESH: HeaderName = HeaderName::from_static("refresh");

/// What a caller may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    None,
    /// Watching.
    Read,
    Full,
}

/// Access of a request, and its origin.
#[derive(Clone, Copy)]
pub struct Granted {
    pub access: Access,
    pub by_cookie: bool,
    /// End of the cookie, in seconds since 1970.
    expires: Option<u64>,
}

/// The token of ops, and the keys of what stands for it.
pub struct Sessions {
    token: String,
    sign: EncodingKey,
    verify: DecodingKey,
    validation: Validation,
    follower_key: String,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    exp: u64,
    access: Access,
}

impl Sessions {
    pub fn new(token: &str) -> Result<Self, getrandom::Error> {
        let (mut key, mut follower) = ([0; 32], [0; 16]);
        getrandom::fill(&mut key)?;
        getrandom::fill(&mut follower)?;
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_required_spec_claims(&["exp", "iss"]);
        validation.set_issuer(&[ISSUER]);
        validation.leeway = 0;
        Ok(Self {
            token: token.to_owned(),
            sign: EncodingKey::from_secret(&key),
            verify: DecodingKey::from_secret(&key),
            validation,
            follower_key: follower.iter().map(|byte| format!("{byte:02x}")).collect(),
        })
    }

    /// Access by the bearer token, or by the cookie; None without either.
    pub fn granted(&self, headers: &HeaderMap) -> Option<Granted> {
        if let Some(sent) = bearer(headers) {
            let is_right = is_same(sent, &self.token);
            return is_right.then_some(Granted {
                access: Access::Full,
                by_cookie: false,
                expires: None,
            });
        }
        let cookies = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
        let cookies = cookies.flat_map(|value| value.split(';'));
        let sent = cookies.filter_map(|cookie| {
            cookie.trim().strip_prefix(NAME).and_then(|rest| rest.strip_prefix('='))
        });
        let claims = sent.filter_map(|token| {
            decode::<Claims>(token, &self.verify, &self.validation).ok().map(|token| token.claims)
        });
        let best = claims.max_by_key(|claims| claims.access)?;
        Some(Granted { access: best.access, by_cookie: true, expires: Some(best.exp) })
    }

    /// Header that sets the cookie for this access.
    fn cookie(&self, access: Access) -> Result<HeaderValue, Error> {
        let exp = get_current_timestamp() + LASTS.as_secs();
        let claims = Claims { iss: ISSUER.to_owned(), exp, access };
        let token = encode(&Header::new(Algorithm::HS256), &claims, &self.sign);
        set_cookie(&token.map_err(Error::internal)?, LASTS)
    }
}

fn set_cookie(value: &str, lasts: Duration) -> Result<HeaderValue, Error> {
    let seconds = lasts.as_secs();
    let cookie = format!("{NAME}={value}; HttpOnly; SameSite=Strict; Path=/; Max-Age={seconds}");
    HeaderValue::try_from(cookie).map_err(Error::internal)
}

/// Compares in constant time: an early exit at the first difference could be measured.
fn is_same(a: &str, b: &str) -> bool {
    let differing = a.bytes().zip(b.bytes()).fold(0, |differing, (a, b)| differing | (a ^ b));
    a.len() == b.len() && differing == 0
}

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

    fn sessions() -> Sessions {
        Sessions::new("a token of ops, sixteen").unwrap()
    }

    fn with_cookie(sessions: &Sessions, access: Access) -> HeaderMap {
        let set = sessions.cookie(access).unwrap();
        let pair = set.to_str().unwrap().split(';').next().unwrap().to_owned();
        let cookie = format!("other=1; {pair}");
        HeaderMap::from_iter([(COOKIE, cookie.parse().unwrap())])
    }

    #[test]
    fn a_cookie_gives_what_it_was_made_for_and_only_here() {
        let sessions = sessions();
        for access in [Access::Read, Access::Full] {
            let headers = with_cookie(&sessions, access);
            let granted = sessions.granted(&headers).unwrap();
            assert!(granted.access == access && granted.by_cookie && granted.expires.is_some());
            // Another process has another key.
            assert!(self::sessions().granted(&headers).is_none());
        }
    }

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
