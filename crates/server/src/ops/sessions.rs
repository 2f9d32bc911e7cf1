//! Sessions of browsers: the token is exchanged once for a cookie, and a follower's link for one that
//! may only watch. A cookie is a signed token of its own; its key ends with this process.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header::COOKIE};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode, get_current_timestamp,
};
use serde::{Deserialize, Serialize};

use crate::web;
use product::{api::auth::bearer, error::Error};

/// Log-in and log-out of browsers, and the follower's link.
mod routes;

pub use routes::{LINK, links, router};

const NAME: &str = "ops_session";
const ISSUER: &str = "chokepoint-ops";
/// A workshop's day.
const LASTS: Duration = Duration::from_secs(12 * 60 * 60);
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
            follower_key: web::hex(&follower),
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
}
