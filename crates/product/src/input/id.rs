//! Numbers in the path.

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};

use crate::error::Error;

/// The `{id}` of the path. Anything but a number names nothing, so the answer is 404.
pub struct Id(pub i64);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let Path(id) = Path::<i64>::from_request_parts(parts, state)
            .await
            .map_err(|_| Error::NotFound("there is nothing with this id".to_owned()))?;
        Ok(Self(id))
    }
}
