//! Access tokens: JWTs that this server signs with HMAC-SHA-256, and takes back from nobody else.

use std::time::Duration;

use chrono::{DateTime, Utc};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode, errors::ErrorKind,
    get_current_timestamp,
};
use serde::{Deserialize, Serialize};

use super::secret;
use crate::{config::AuthConfig, error::Error};

/// Whose tokens these are: another service with the same secret has other ones.
const ISSUER: &str = "chokepoint";

/// What an access token says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claims {
    /// The user's id, as text because RFC 7519 has it so.
    pub sub: String,
    pub exp: u64,
    pub iat: u64,
    pub iss: String,
    /// Makes two tokens of one second differ.
    pub jti: String,
    /// The family of refresh tokens it was given out with.
    pub fam: String,
}

impl Claims {
    pub fn expires_at(&self) -> DateTime<Utc> {
        let seconds = i64::try_from(self.exp).unwrap_or(i64::MAX);
        DateTime::from_timestamp(seconds, 0).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}

/// Seconds by which the clock of another instance, which issued a token, may be ahead.
const CLOCKS_DIFFER: u64 = 30;

pub struct Tokens {
    sign: EncodingKey,
    verify: DecodingKey,
    validation: Validation,
    pub access_ttl: Duration,
    pub refresh_ttl: Duration,
}

impl Tokens {
    pub fn new(config: &AuthConfig) -> Result<Self, getrandom::Error> {
        let secret = match config.jwt_secret() {
            Some(secret) => secret.to_owned(),
            None => {
                tracing::warn!(
                    "JWT_SECRET is not set: a random one is used, so access tokens end with this process"
                );
                secret::random::<32>()?
            }
        };
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_required_spec_claims(&["exp", "iss", "sub"]);
        validation.set_issuer(&[ISSUER]);
        validation.leeway = 0;
        validation.validate_nbf = true;
        // "On or after" that second it is refused (RFC 7519); the crate's own reading is "after".
        validation.reject_tokens_expiring_in_less_than = 1;
        Ok(Self {
            sign: EncodingKey::from_secret(secret.as_bytes()),
            verify: DecodingKey::from_secret(secret.as_bytes()),
            validation,
            access_ttl: config.access_token_ttl,
            refresh_ttl: config.refresh_token_ttl,
        })
    }

    /// A new token of a family, with what it says.
    pub fn issue(&self, user_id: i64, family: &str) -> Result<(String, Claims), Error> {
        let now = get_current_timestamp();
        let claims = Claims {
            sub: user_id.to_string(),
            exp: now + self.access_ttl.as_secs(),
            iat: now,
            iss: ISSUER.to_owned(),
            jti: secret::random::<16>().map_err(Error::internal)?,
            fam: family.to_owned(),
        };
        let token = encode(&Header::new(Algorithm::HS256), &claims, &self.sign);
        Ok((token.map_err(Error::internal)?, claims))
    }

    /// What the token says, if this server signed it and it has not expired.
    pub fn verify(&self, token: &str) -> Result<Claims, Error> {
        let claims = match decode::<Claims>(token, &self.verify, &self.validation) {
            // Whoever does not understand all of `crit` must refuse (RFC 7515); this server uses none.
            Ok(decoded) if decoded.header.crit.is_some() => {
                return Err(Error::InvalidToken("not one of this server's"));
            }
            Ok(decoded) => decoded.claims,
            Err(error) if matches!(error.kind(), ErrorKind::ExpiredSignature) => {
                return Err(Error::InvalidToken("expired"));
            }
            Err(_) => return Err(Error::InvalidToken("not one of this server's")),
        };
        // The crate doesn't look at it. From the future it is forged, or a clock is wrong.
        if claims.iat > get_current_timestamp() + CLOCKS_DIFFER {
            return Err(Error::InvalidToken("not valid yet"));
        }
        Ok(claims)
    }
}
