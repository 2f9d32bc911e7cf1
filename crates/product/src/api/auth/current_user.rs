//! Extractor of the authenticated user: a handler that takes `CurrentUser` needs an access token.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header::AUTHORIZATION, request::Parts},
};

use super::{Auth, secret, tokens::Claims};
use crate::{
    api::state::{AppState, SharedState},
    error::Error,
};

/// User who sends the request. The account's row is not read: if an operator has deleted it, the
/// user sees nothing and can write nothing, because everything written refers to that row.
pub struct CurrentUser {
    pub id: i64,
    pub(super) claims: Claims,
    /// Digest of the access token.
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
        let Verified(result) = verified.unwrap_or_else(|| Verified::of(auth, token));
        let (id, claims) = result?;
        let digest = secret::digest(token);
        let family = secret::digest(&claims.fam);
        if auth.revocations.is_any_revoked(db, cache, [&digest, &family]).await? {
            return Err(Error::InvalidToken("revoked"));
        }
        Ok(Self { id, claims, digest })
    }
}

/// Result of verifying the request's token: user id and claims, or the error. The rate limit by
/// user needs it first, and passes it on as an extension.
#[derive(Clone)]
pub struct Verified(Result<(i64, Claims), Error>);

impl Verified {
    pub fn of(auth: &Auth, token: &str) -> Self {
        let result = auth.tokens.verify(token).and_then(|claims| {
            let id = claims.sub.parse();
            Ok((id.map_err(|_| Error::InvalidToken("not one of this server's"))?, claims))
        });
        Self(result)
    }

    /// User id; None if this server did not sign the token, or it has expired.
    pub fn user(&self) -> Option<i64> {
        self.0.as_ref().ok().map(|(id, _)| *id)
    }
}

/// Token after `Bearer`, in any case, in the Authorization header.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let sent = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = sent.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
