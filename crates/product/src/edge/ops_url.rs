//! Where the ops of this instance is reached, said in each answer. Behind a proxy the page comes from one
//! instance and an answer from another, whose trace only its own ops has.

use axum::{
    extract::State,
    http::{HeaderName, HeaderValue},
    response::Response,
};

use crate::config::Config;

const OPS_URL: HeaderName = HeaderName::from_static("x-ops-url");

/// The OPS_PUBLIC_URL as a header.
#[derive(Clone)]
pub struct OpsUrl(HeaderValue);

impl OpsUrl {
    /// None if it is not set: a page guesses then.
    pub fn of(config: &Config) -> Option<Self> {
        HeaderValue::from_str(config.ops_public_url.as_deref()?).ok().map(Self)
    }
}

/// Adds the header to an answer.
pub async fn name_ops(State(OpsUrl(url)): State<OpsUrl>, mut answer: Response) -> Response {
    answer.headers_mut().insert(OPS_URL, url);
    answer
}
