//! Request and response bodies of auth.

use email_address::{EmailAddress, Options};
use serde::Serialize;
use utoipa::{
    ToSchema,
    openapi::{KnownFormat, ObjectBuilder, SchemaFormat},
};

use crate::{
    api::openapi::schemas,
    input::{Fields, Input},
};

/// Largest body of auth, in bytes. No field is long; a larger body is refused unread.
pub const MAX_BYTES: usize = 64 * 1024;

/// Longest address that RFC 5321 lets a server send to, in bytes.
const EMAIL_MAX_BYTES: usize = 254;

/// Length of a password in bytes. bcrypt reads 72 bytes and ignores what follows.
const PASSWORD_BYTES: std::ops::RangeInclusive<usize> = 8..=72;

/// Maximum characters of a refresh token: more than any has, since only a digest of it is used.
const REFRESH_TOKEN_MAX: usize = 1_000;

const REFRESH_TOKEN_EXAMPLE: &str =
    "5f0c6b0e2f8d4c1ab37e90d2a4415c6e8f7b1a2c3d4e5f60718293a4b5c6d7e8";

// The schema attributes only describe the fields; `read` checks them.
/// A new account.
#[derive(ToSchema)]
pub struct RegisterIn {
    #[schema(min_length = 3, max_length = 50, pattern = "^[A-Za-z0-9_]{3,50}$", example = "ada_l")]
    pub username: String,
    #[schema(schema_with = email_text)]
    pub email: String,
    #[schema(schema_with = password_text)]
    pub password: String,
}

impl Input for RegisterIn {
    const MAX_BYTES: usize = MAX_BYTES;

    fn read(fields: &mut Fields) -> Self {
        Self {
            username: fields.parsed("username", username),
            email: fields.parsed("email", email),
            password: fields.parsed("password", password),
        }
    }
}

#[derive(ToSchema)]
pub struct LoginIn {
    #[schema(schema_with = email_text)]
    pub email: String,
    #[schema(schema_with = password_text)]
    pub password: String,
}

impl Input for LoginIn {
    const MAX_BYTES: usize = MAX_BYTES;

    fn read(fields: &mut Fields) -> Self {
        Self { email: fields.parsed("email", email), password: fields.parsed("password", password) }
    }
}

#[derive(ToSchema)]
pub struct RefreshIn {
    #[schema(schema_with = refresh_token_text)]
    pub refresh_token: String,
}

impl Input for RefreshIn {
    const MAX_BYTES: usize = MAX_BYTES;

    fn read(fields: &mut Fields) -> Self {
        Self { refresh_token: fields.text("refresh_token", 1..=REFRESH_TOKEN_MAX) }
    }
}

/// Somebody who is logged in.
#[derive(Serialize, ToSchema)]
pub struct SessionOut {
    /// Goes into the header `Authorization: Bearer …`.
    #[schema(example = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.c2lnbmF0dXJl")]
    pub access_token: String,
    /// Good for one refresh; the answer to that has the next one.
    #[schema(example = json!(REFRESH_TOKEN_EXAMPLE))]
    pub refresh_token: String,
    #[schema(example = "bearer")]
    pub token_type: &'static str,
    /// Seconds until the access token expires.
    #[schema(example = 900)]
    pub expires_in: u64,
    #[schema(example = 11)]
    pub user_id: i64,
    #[schema(example = "ada@example.com")]
    pub email: String,
}

fn email_text() -> ObjectBuilder {
    schemas::text(0..=EMAIL_MAX_BYTES)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::IdnEmail)))
        .description(Some(
            "An address with a dot in its domain, without a name before it. It is kept in lower case, \
             in which it may have 254 bytes of UTF-8.",
        ))
        .examples(["ada@example.com"])
}

fn password_text() -> ObjectBuilder {
    schemas::text(2..=*PASSWORD_BYTES.end())
        .description(Some("8 to 72 bytes of UTF-8, so between 2 and 72 characters."))
        .examples(["correct horse"])
}

fn refresh_token_text() -> ObjectBuilder {
    schemas::text(1..=REFRESH_TOKEN_MAX).examples([REFRESH_TOKEN_EXAMPLE])
}

fn username(text: String) -> Result<String, String> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if (3..=50).contains(&text.len()) && text.bytes().all(is_allowed) {
        Ok(text)
    } else {
        Err("3 to 50 letters, digits or underscores are needed".to_owned())
    }
}

/// Account that a login with this address names, as the database looks it up; None if no account
/// can have this address.
pub fn account(address: String) -> Option<String> {
    email(address).ok()
}

/// Validates an address and lower-cases it, so that addresses that differ in case are one account.
fn email(text: String) -> Result<String, String> {
    let text = text.to_lowercase();
    if text.len() > EMAIL_MAX_BYTES {
        return Err(format!("at most {EMAIL_MAX_BYTES} bytes are allowed"));
    }
    let options = Options::default().without_display_text().with_required_tld();
    match EmailAddress::parse_with_options(&text, options) {
        Ok(_) => Ok(text),
        Err(_) => Err("an e-mail address such as ada@example.com is needed".to_owned()),
    }
}

fn password(text: String) -> Result<String, String> {
    if PASSWORD_BYTES.contains(&text.len()) {
        Ok(text)
    } else {
        Err("8 to 72 bytes are needed; a letter outside ASCII is 2 to 4 bytes".to_owned())
    }
}
