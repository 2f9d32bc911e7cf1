//! Settings of tokens and passwords.

use std::time::Duration;

use clap::{Args, builder::BoolishValueParser};

use super::{
    files::content_as,
    values::{jwt_secret, lifetime},
};

/// Lowest work factor for bcrypt that OWASP recommends.
const SAFE_BCRYPT_COST: u32 = 10;

#[derive(Args, Clone, Debug)]
pub struct AuthConfig {
    /// Key that signs access tokens, at least 32 bytes [default: random at each start]
    #[arg(long, env, value_name = "SECRET", hide_env_values = true, value_parser = jwt_secret)]
    pub jwt_secret: Option<String>,

    /// File that holds the JWT_SECRET, instead of it
    #[arg(long, env, value_name = "FILE", conflicts_with = "jwt_secret",
          value_parser = content_as(jwt_secret))]
    pub jwt_secret_file: Option<String>,

    /// Lifetime of an access token
    #[arg(long, env, value_name = "TIME", default_value = "15m", value_parser = lifetime)]
    pub access_token_ttl: Duration,

    /// Lifetime of a refresh token
    #[arg(long, env, value_name = "TIME", default_value = "7d", value_parser = lifetime)]
    pub refresh_token_ttl: Duration,

    /// Work factor of password hashes: one more is twice the time. Below 10 needs --insecure
    #[arg(long, env, value_name = "COST", default_value_t = 12,
          value_parser = clap::value_parser!(u32).range(4..=16))]
    pub bcrypt_cost: u32,

    /// Allow password hashes that are cheap to break. For tests and load tests
    #[arg(long, env, value_name = "BOOL", default_value = "false", num_args = 0..=1,
          default_missing_value = "true", require_equals = true,
          value_parser = BoolishValueParser::new())]
    pub insecure: bool,
}

impl AuthConfig {
    /// Key that signs access tokens, from its own setting or its file.
    pub fn jwt_secret(&self) -> Option<&str> {
        self.jwt_secret.as_deref().or(self.jwt_secret_file.as_deref())
    }

    /// Checks BCRYPT_COST. Errors if it is unsafe and --insecure is not set.
    pub fn check(&self) -> Result<(), String> {
        if self.insecure || self.bcrypt_cost >= SAFE_BCRYPT_COST {
            return Ok(());
        }
        Err(format!(
            "{} makes password hashes that are cheap to break; at least {SAFE_BCRYPT_COST} is needed, or --insecure",
            self.bcrypt_cost
        ))
    }
}
