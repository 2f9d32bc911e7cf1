//! Parameters of a query.

use std::collections::HashMap;

use axum::{extract::Query, http::Uri};
use observe::params::Params;

use crate::error::Error;

/// Reads the parameters of a request's query, each to be asked for by its name.
///
/// # Errors
/// A query that is not well-formed.
pub fn params(uri: &Uri) -> Result<Params, Error> {
    let Query(given) = Query::<HashMap<String, String>>::try_from_uri(uri)
        .map_err(|e| Error::Malformed(e.to_string()))?;
    Ok(Params::new(given))
}
