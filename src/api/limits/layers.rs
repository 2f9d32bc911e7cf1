//! Where requests meet their limit: middleware, so that handlers know nothing of it and the headers
//! are on whatever they answer.

use std::{borrow::Cow, fmt, net::IpAddr};

use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::Value;

use crate::{
    api::auth::{self, bearer},
    edge::Proxies,
    error::Error,
    input::json_bytes,
    quota::Quota,
    state::AppState,
};

/// For everything with an access token. Without one there is nobody to count.
pub async fn by_token(
    State(AppState { limits, .. }): State<AppState>,
    request: Request,
    next: Next,
) -> Response {
    let Some(token) = bearer(request.headers()) else { return next.run(request).await };
    match limits.api(token).await {
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
    let quota = match email(&bytes) {
        Some(email) => limits.login(client, &email).await?,
        None => None,
    };
    let request = Request::from_parts(parts, Body::from(bytes));
    Ok(counted(quota, next.run(request).await))
}

fn email(body: &[u8]) -> Option<String> {
    let WithEmail(email) = serde_json::from_slice(body).ok()?;
    email
}

/// What an object says under `email`, and nothing else of it. Said twice, the last one counts, as it
/// does for the handler: by another address its limit would be got round.
struct WithEmail(Option<String>);

impl<'de> Deserialize<'de> for WithEmail {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = WithEmail;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<WithEmail, A::Error> {
                let mut email = None;
                while let Some(name) = members.next_key::<Cow<'_, str>>()? {
                    if name == "email" {
                        let value: Value = members.next_value()?;
                        email = value.as_str().map(str::to_owned);
                    } else {
                        members.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(WithEmail(email))
            }
        }

        deserializer.deserialize_map(Members)
    }
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
    fn the_account_is_the_one_that_the_handler_will_see() {
        for (body, account) in [
            (r#"{"email":"a","password":{"email":"b"}}"#, Some("a")),
            (r#"{"password":[1,{}],"email":"a"}"#, Some("a")),
            (r#"{"email":"a","email":"b"}"#, Some("b")),
            (r#"{"email":"a","email":7}"#, None),
            (r#"{"e\u006dail":"\u00fc"}"#, Some("ü")),
            (r#"{"email":null}"#, None),
            (r#"[{"email":"a"}]"#, None),
            (r#"{"email":"a""#, None),
            ("", None),
        ] {
            assert_eq!(email(body.as_bytes()).as_deref(), account, "{body}");
        }
    }
}
