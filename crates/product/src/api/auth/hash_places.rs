//! Limits how many requests hash a password or wait for it. The others are refused and may try
//! again: with an unbounded queue, a flood of logins would keep everybody waiting.

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, Request, State},
    http::request::Parts,
    middleware::Next,
    response::Response,
};
use metrics::{counter, gauge};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::metrics as names;
use crate::{
    api::state::{AppState, SharedState},
    error::Error,
    input::arrived,
};

/// Hashes of cost 0 that a core makes in 2 s, the time that a person waits: one of cost 12 takes
/// 0.25 s of a core, and each step of cost doubles that.
const IN_TWO_SECONDS: usize = 8 << 12;

/// One place for each hash that a core is making, and one for each that it makes within 2 s.
pub struct HashPlaces(Arc<Semaphore>);

impl HashPlaces {
    pub fn new(cores: usize, cost: u32) -> Self {
        Self(Arc::new(Semaphore::new(cores * (1 + waiting_per_core(cost)))))
    }

    pub fn take(&self) -> Result<HashPlace, Error> {
        match self.0.clone().try_acquire_owned() {
            Ok(place) => Ok(HashPlace(Arc::new(Taken::new(place)))),
            Err(_) => {
                counter!(names::PASSWORDS_SHED).increment(1);
                Err(Error::Overloaded("too many passwords wait to be hashed already"))
            }
        }
    }
}

/// Waiting hashes per core: at least one, however expensive a hash is.
fn waiting_per_core(cost: u32) -> usize {
    IN_TWO_SECONDS.checked_shr(cost).unwrap_or(0).max(1)
}

/// A place, released when it is dropped.
#[derive(Clone)]
pub struct HashPlace(#[expect(dead_code, reason = "it only has to be kept")] Arc<Taken>);

struct Taken(#[expect(dead_code, reason = "it only has to be kept")] OwnedSemaphorePermit);

impl Taken {
    fn new(place: OwnedSemaphorePermit) -> Self {
        gauge!(names::PASSWORD_PLACES).increment(1.0);
        Self(place)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        gauge!(names::PASSWORD_PLACES).decrement(1.0);
    }
}

/// Takes a place after the body has arrived, so that a slow sender holds none, and before a thread
/// is taken, so that a refusal needs no thread.
pub async fn take_place(
    State(AppState { auth, .. }): State<AppState>,
    request: Request,
    next: Next,
) -> Result<Response, Error> {
    let mut request = arrived(request).await?;
    let place = auth.passwords.places.take()?;
    request.extensions_mut().insert(place);
    Ok(next.run(request).await)
}

impl FromRequestParts<SharedState> for HashPlace {
    type Rejection = Error;

    /// Returns the place that the request came with, or takes a free one.
    async fn from_request_parts(parts: &mut Parts, state: &SharedState) -> Result<Self, Error> {
        parts.extensions.remove().map_or_else(|| state.auth.passwords.places.take(), Ok)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_wait_as_are_hashed_in_two_seconds() {
        let costs = [4, 10, 12, 14, 15, 16, 31];
        assert_eq!(costs.map(waiting_per_core), [2_048, 32, 8, 2, 1, 1, 1]);
    }
}
