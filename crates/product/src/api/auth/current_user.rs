//! The extractor that lets a request in: a handler that takes `CurrentUser` needs a token.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header::AUTHORIZATION, request::Parts},
};

use super::{Auth, secret, tokens::Claims};
use crate::{
    error::Error,
    state::{AppState, SharedState},
};

/// Who sends the request. Nothing is asked about the account itself: somebody whose row an operator
/// has deleted sees nothing and can write nothing, because what is written refers to that row.
pub struct CurrentUser {
    pub id: i64,
    pub(super) claims: Claims,
    /// The digest of the access token.
    pub(super) digest: String,
}

impl FromRequestParts<SharedState> for CurrentUser {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &SharedState) -> Result<Self, Error> {
        let AppState { db, cache, auth, .. } = &**state;
        if parts.headers.get_all(AUTHORIZATION).iter().count() > 1 {
            return Err(Error::SeveralTokens);
        }
        let verified = parts.extensions.remove::<Verified>();
        let token =
            bearer(&parts.headers).ok_or(Error::Unauthorized("an access token is needed"))?;
        let Verified(said) = verified.unwrap_or_else(|| Verified::of(auth, token));
        let (id, claims) = said?;
        let digest = secret::digest(token);
        let family = secret::digest(&claims.fam);
        if auth.revocations.is_any_revoked(db, cache, [&digest, &family]).await? {
            return Err(Error::InvalidToken("revoked"));
        }
        Ok(Self { id, claims, digest })
    }
}

/// The signature of the request's token, checked, and what the token says. The limit by user is the
/// first to need it, and passes it on as an extension.
#[derive(Clone)]
pub struct Verified(Result<(i64, Claims), Error>);

impl Verified {
    pub fn of(auth: &Auth, token: &str) -> Self {
        let said = auth.tokens.verify(token).and_then(|claims| {
            let id = claims.sub.parse();
            Ok((id.map_err(|_| Error::InvalidToken("not one of this server's"))?, claims))
        });
        Self(said)
    }

    /// None if this server did not sign it, or it has expired.
    pub fn user(&self) -> Option<i64> {
        self.0.as_ref().ok().map(|(id, _)| *id)
    }
}

/// What follows `Bearer`, in any case, in the one header that says who somebody is.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let sent = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = sent.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
