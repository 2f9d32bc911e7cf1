//! URLs and handlers of auth, below `/api/v1` and `/api/v2`.

use axum::{Json, extract::State, http::StatusCode, middleware::from_fn_with_state};
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouterExt},
    routes,
};

use super::{
    CurrentUser,
    bodies::{LoginIn, RefreshIn, RegisterIn, SessionOut},
    service,
};
use crate::{
    api::{concurrency::Model, limits},
    error::{Error, Problem},
    input::Body,
    state::AppState,
};

pub fn router(state: &AppState) -> OpenApiRouter<AppState> {
    let by_address = from_fn_with_state(state.clone(), limits::by_address);
    let by_account = from_fn_with_state(state.clone(), limits::by_account);
    OpenApiRouter::new()
        .routes(routes!(register).layer(by_address))
        .routes(routes!(login).layer(by_account))
        .routes(routes!(refresh))
        .routes(routes!(logout))
}

/// Opens an account and logs in.
#[utoipa::path(post, path = "/auth/register", tag = "auth", request_body = RegisterIn, responses(
    (status = CREATED, body = SessionOut),
    (status = CONFLICT, body = Problem, description = "username or e-mail address is taken"),
    (status = TOO_MANY_REQUESTS, body = Problem, description = "too many from this address")
))]
async fn register(
    State(AppState { db, auth, .. }): State<AppState>,
    model: Model,
    Body(input): Body<RegisterIn>,
) -> Result<(StatusCode, Json<SessionOut>), Error> {
    let session = service::register(&db, &auth, model, input).await?;
    Ok((StatusCode::CREATED, Json(session)))
}

/// Logs in with e-mail address and password.
#[utoipa::path(post, path = "/auth/login", tag = "auth", request_body = LoginIn, responses(
    (status = OK, body = SessionOut),
    (status = UNAUTHORIZED, body = Problem, description = "unknown address or wrong password"),
    (status = TOO_MANY_REQUESTS, body = Problem, description = "too many for this account")
))]
async fn login(
    State(AppState { db, auth, .. }): State<AppState>,
    model: Model,
    Body(input): Body<LoginIn>,
) -> Result<Json<SessionOut>, Error> {
    Ok(Json(service::login(&db, &auth, model, input).await?))
}

/// Swaps a refresh token for a new pair of tokens.
///
/// Each is good once. Used a second time, it ends every token that followed from the same login.
#[utoipa::path(post, path = "/auth/refresh", tag = "auth", request_body = RefreshIn, responses(
    (status = OK, body = SessionOut),
    (status = UNAUTHORIZED, body = Problem, description = "unknown, used, revoked or expired")
))]
async fn refresh(
    State(AppState { db, cache, auth, .. }): State<AppState>,
    Body(input): Body<RefreshIn>,
) -> Result<Json<SessionOut>, Error> {
    Ok(Json(service::refresh(&db, &cache, &auth, &input.refresh_token).await?))
}

/// Ends the access token, and the refresh tokens that belong to it, on every instance.
#[utoipa::path(post, path = "/auth/logout", tag = "auth", security(("bearer" = [])), responses(
    (status = NO_CONTENT, description = "both are refused from now on")
))]
async fn logout(
    State(AppState { db, cache, auth, .. }): State<AppState>,
    user: CurrentUser,
) -> Result<StatusCode, Error> {
    service::logout(&db, &cache, &auth, &user).await?;
    Ok(StatusCode::NO_CONTENT)
}
