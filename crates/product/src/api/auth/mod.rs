//! Who somebody is: accounts, access tokens, refresh tokens, and the end of each.
//!
//! An access token is a signed JWT that is believed without asking anybody, unless `revocation`
//! knows better. A refresh token is a random secret that the database knows by its digest.

use crate::config::AuthConfig;

/// What clients send and get.
mod bodies;
/// The extractor that lets a request in.
mod current_user;
/// Few who wait to hash a password, and a refusal for the others.
mod hash_places;
/// bcrypt, where it blocks nobody.
mod passwords;
/// Queries and statements.
mod repository;
/// Which access tokens are refused although their signature is good.
mod revocation;
/// URLs and handlers.
mod routes;
/// Random secrets, and their digests.
mod secret;
/// What each endpoint does.
mod service;
/// Access tokens: signing them, and telling good ones.
mod tokens;

pub use bodies::{MAX_BYTES, account};
pub use current_user::{CurrentUser, Verified, bearer};
pub use routes::{sessions, with_password};
pub use service::remove_expired;

use self::{passwords::Passwords, revocation::Revocations, tokens::Tokens};

/// What auth needs beside the database.
pub struct Auth {
    passwords: Passwords,
    tokens: Tokens,
    revocations: Revocations,
}

impl Auth {
    /// Fails if the system has no randomness to give.
    pub fn new(config: &AuthConfig) -> Result<Self, getrandom::Error> {
        Ok(Self {
            passwords: Passwords::new(config.bcrypt_cost),
            tokens: Tokens::new(config)?,
            revocations: Revocations::default(),
        })
    }
}
