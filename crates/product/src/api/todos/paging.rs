//! Requested part of a user's list. Without parameters it is the part that is cached.

use axum::{extract::FromRequestParts, http::request::Parts};
use utoipa::IntoParams;

use crate::{error::Error, input::params};

/// Most todos of one answer: some 100 KB at usual length, and more than a person keeps.
pub const MOST: u32 = 500;

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Page {
    /// Most todos of the answer, which ends at 1 MiB of todos too
    #[param(value_type = u32, minimum = 1, maximum = 500, default = 500, required = false)]
    pub limit: u32,
    /// The id of the last todo of the part before; none for the first part
    #[param(value_type = i64, required = false, minimum = 1, example = 101)]
    pub cursor: Option<i64>,
}

impl Page {
    pub const FIRST: Self = Self { limit: MOST, cursor: None };

    pub fn is_first(&self) -> bool {
        self.limit == MOST && self.cursor.is_none()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Page {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        if parts.uri.query().is_none() {
            return Ok(Self::FIRST);
        }
        let mut params = params(&parts.uri)?;
        let limit = params.number("limit", 1..=MOST, MOST);
        let cursor = params.optional_id("cursor");
        params.finish()?;
        Ok(Self { limit, cursor })
    }
}
