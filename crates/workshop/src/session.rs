//! Signed session of a virtual user: the access token that it logged in for.

use axum::{extract::FromRequestParts, http::request::Parts};
use product::{
    api::{
        auth::{Verified, bearer},
        state::SharedState,
    },
    error::Error,
};

/// User of a session, accepted by its signature alone: no query, and nothing to hash. One that was
/// logged out is accepted until it expires; the product's `CurrentUser` looks that up too.
pub struct Session {
    pub user_id: i64,
}

impl FromRequestParts<SharedState> for Session {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &SharedState) -> Result<Self, Error> {
        let token = bearer(&parts.headers).ok_or(Error::Unauthorized("a session is needed"))?;
        let user_id = Verified::of(&state.auth, token).user();
        let user_id = user_id.ok_or(Error::InvalidToken("expired, or not one of this server's"))?;
        Ok(Self { user_id })
    }
}
