//! Access tokens: JWTs signed with HMAC-SHA-256. The server accepts only its own.

use std::time::Duration;

use chrono::{DateTime, Utc};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode, errors::ErrorKind,
    get_current_timestamp,
};
use serde::{Deserialize, Serialize};

use super::secret;
use crate::{config::AuthConfig, error::Error};

/// Issuer of the tokens. Another service with the same secret has another one.
const ISSUER: &str = "chokepoint";

/// Claims of an access token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claims {
    /// User id, as text because RFC 7519 requires it.
    pub sub: String,
    pub exp: u64,
    pub iat: u64,
    pub iss: String,
    /// Random id, so that two tokens of the same second differ.
    pub jti: String,
    /// Family of the refresh tokens issued with it.
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
        // RFC 7519 refuses it "on or after" that second; the crate's default is "after".
        validation.reject_tokens_expiring_in_less_than = 1;
        Ok(Self {
            sign: EncodingKey::from_secret(secret.as_bytes()),
            verify: DecodingKey::from_secret(secret.as_bytes()),
            validation,
            access_ttl: config.access_token_ttl,
            refresh_ttl: config.refresh_token_ttl,
        })
    }

    /// Issues a token of a family. Returns it with its claims.
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

    /// Claims of a token. Errors if this server did not sign it, or it has expired.
    pub fn verify(&self, token: &str) -> Result<Claims, Error> {
        let claims = match decode::<Claims>(token, &self.verify, &self.validation) {
            // This server understands no `crit`, so it must refuse the token (RFC 7515).
            Ok(decoded) if decoded.header.crit.is_some() => {
                return Err(Error::InvalidToken("not one of this server's"));
            }
            Ok(decoded) => decoded.claims,
            Err(error) if matches!(error.kind(), ErrorKind::ExpiredSignature) => {
                return Err(Error::InvalidToken("expired"));
            }
            Err(_) => return Err(Error::InvalidToken("not one of this server's")),
        };
        // The crate does not check `iat`. One in the future is forged, or a clock is wrong.
        if claims.iat > get_current_timestamp() + CLOCKS_DIFFER {
            return Err(Error::InvalidToken("not valid yet"));
        }
        Ok(claims)
    }
}
