//! The extractor that lets a request in: a handler that takes `CurrentUser` needs a token.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header::AUTHORIZATION, request::Parts},
};

use super::{secret, tokens::Claims};
use crate::{error::Error, state::AppState};

/// Who sends the request. Nothing is asked about the account itself: somebody whose row an operator
/// has deleted sees nothing and can write nothing, because what is written refers to that row.
pub struct CurrentUser {
    pub id: i64,
    pub(super) claims: Claims,
    /// The digest of the access token.
    pub(super) digest: String,
}

impl FromRequestParts<AppState> for CurrentUser {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Error> {
        let AppState { db, cache, auth, .. } = state;
        let token =
            bearer(&parts.headers).ok_or(Error::Unauthorized("an access token is needed"))?;
        let claims = auth.tokens.verify(token)?;
        let id = claims.sub.parse().map_err(|_| Error::InvalidToken("not one of this server's"))?;
        let digest = secret::digest(token);
        let family = secret::digest(&claims.fam);
        if auth.revocations.is_any_revoked(db, cache, [&digest, &family]).await? {
            return Err(Error::InvalidToken("revoked"));
        }
        Ok(Self { id, claims, digest })
    }
}

/// What follows `Bearer`, in any case, in the one header that says who somebody is.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let sent = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = sent.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
