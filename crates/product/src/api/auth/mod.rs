//! Authentication: accounts, access tokens, refresh tokens, and the end of each.
//!
//! An access token is a signed JWT, accepted by its signature alone unless `revocation` lists it. A
//! refresh token is a random secret that the database knows by its digest.

use crate::config::AuthConfig;

/// Request and response bodies.
mod bodies;
/// Extractor of the authenticated user.
mod current_user;
/// Limit on requests that wait to hash a password, and the refusal of others.
mod hash_places;
/// Password hashing with bcrypt, where it blocks no other request.
mod passwords;
/// Queries and statements.
mod repository;
/// Revoked access tokens, refused although their signature is valid.
mod revocation;
/// URLs and handlers.
mod routes;
/// Random secrets, and their digests.
mod secret;
/// Logic of each endpoint.
mod service;
/// Access tokens, issued and verified.
mod tokens;

pub use bodies::{MAX_BYTES, account};
pub use current_user::{CurrentUser, Verified, bearer};
pub use routes::{sessions, with_password};
pub use service::remove_expired;

use self::{passwords::Passwords, revocation::Revocations, tokens::Tokens};

/// State of auth besides the database.
pub struct Auth {
    passwords: Passwords,
    tokens: Tokens,
    revocations: Revocations,
}

impl Auth {
    /// Sets up auth. Errors if the system has no randomness.
    pub fn new(config: &AuthConfig) -> Result<Self, getrandom::Error> {
        Ok(Self {
            passwords: Passwords::new(config.bcrypt_cost),
            tokens: Tokens::new(config)?,
            revocations: Revocations::default(),
        })
    }
}
