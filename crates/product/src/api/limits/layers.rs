//! Where requests meet their limit: middleware, so that handlers know nothing of it and the headers
//! are on whatever they answer.

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
    edge::Proxies,
    error::Error,
    input::json_bytes,
    quota::Quota,
    state::AppState,
};

/// For everything with an access token of this server's. A forged or expired one is nobody's: counted
/// as the user it names, anybody could use up that user's quota.
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

/// For registrations.
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

/// For logins. Reads the body to know the account; what has none is not a login, and is left to the
/// handler to refuse.
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

/// The account that the handler will look up: the body is read as it reads it, or what the two take
/// for the address could differ, and the limit be got round.
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
            // What finds another row, or none, is another account, or none.
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
