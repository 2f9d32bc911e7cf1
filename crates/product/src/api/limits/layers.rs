//! Rate-limit middleware. Handlers know nothing of limits, and every answer has the rate-limit
//! headers.

use std::net::IpAddr;

use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde_json::Value;

use crate::{
    api::auth::{self, Verified, bearer},
    api::state::AppState,
    edge::Proxies,
    error::Error,
    input::json_bytes,
    quota::Quota,
};

/// Limits requests with a valid access token. A forged or expired one counts for nobody: otherwise
/// anybody could use up the quota of the user that it names.
pub async fn by_user(
    State(AppState { limits, auth, .. }): State<AppState>,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(token) = bearer(request.headers()) else { return next.run(request).await };
    let verified = Verified::of(&auth, token);
    let user = verified.user();
    request.extensions_mut().insert(verified);
    let Some(user) = user else { return next.run(request).await };
    match limits.api(user).await {
        Ok(quota) => counted(quota, next.run(request).await),
        Err(error) => error.into_response(),
    }
}

/// Limits registrations, by address.
pub async fn by_address(
    State(AppState { limits, proxies, .. }): State<AppState>,
    request: Request,
    next: Next,
) -> Response {
    match limits.register(client(&proxies, &request)).await {
        Ok(quota) => counted(quota, next.run(request).await),
        Err(error) => error.into_response(),
    }
}

/// Limits logins. Reads the body to find the account; a body without one is not a login, and the
/// handler refuses it.
pub async fn by_account(
    State(AppState { limits, proxies, .. }): State<AppState>,
    request: Request,
    next: Next,
) -> Result<Response, Error> {
    let client = client(&proxies, &request);
    let (parts, body) = request.into_parts();
    let bytes = json_bytes(Request::from_parts(parts.clone(), body), auth::MAX_BYTES).await?;
    let quota = match account(&bytes) {
        Some(account) => limits.login(client, &account).await?,
        None => None,
    };
    let request = Request::from_parts(parts, Body::from(bytes));
    Ok(counted(quota, next.run(request).await))
}

/// Account that the handler will look up. It parses the body as the handler does: otherwise the two
/// could find different addresses, and a client could bypass the limit.
fn account(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    auth::account(body.get("email")?.as_str()?.to_owned())
}

fn client(proxies: &Proxies, request: &Request) -> IpAddr {
    proxies.client(request.extensions(), request.headers())
}

fn counted(quota: Option<Quota>, mut response: Response) -> Response {
    if let Some(quota) = quota {
        quota.add_to(response.headers_mut());
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_is_the_one_that_the_handler_will_look_up() {
        for (body, expected) in [
            (r#"{"email":"a@b.org","password":{"email":"b@b.org"}}"#, Some("a@b.org")),
            (r#"{"password":[1,{}],"email":"a@b.org"}"#, Some("a@b.org")),
            (r#"{"email":"a@b.org","email":"b@b.org"}"#, Some("b@b.org")),
            (r#"{"email":"a@b.org","email":7}"#, None),
            (r#"{"e\u006dail":"\u00dc@B.org"}"#, Some("ü@b.org")),
            // An address that finds another row, or none, is another account, or none.
            (r#"{"email":"u\u0308@b.org"}"#, None),
            (r#"{"email":"a+tag@b.org"}"#, Some("a+tag@b.org")),
            (r#"{"email":" a@b.org"}"#, None),
            (r#"{"email":"a@b.org."}"#, None),
            (r#"{"email":null}"#, None),
            (r#"[{"email":"a@b.org"}]"#, None),
            (r#"{"email":"a@b.org""#, None),
            ("", None),
        ] {
            assert_eq!(account(body.as_bytes()).as_deref(), expected, "{body}");
        }
    }
}
