//! URLs and handlers of auth, below `/api/v1` and `/api/v2`.

use axum::{
    Json,
    extract::State,
    http::{HeaderValue, StatusCode, header::CACHE_CONTROL},
    middleware::{from_fn_with_state, map_response},
    response::Response,
};
use tower::util::option_layer;
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouterExt},
    routes,
};

use super::{
    CurrentUser,
    bodies::{LoginIn, RefreshIn, RegisterIn, SessionOut},
    hash_places::{HashPlace, take_place},
    service,
};
use crate::{
    api::state::{AppState, SharedState},
    api::{concurrency::Model, limits, request_threads::RequestThreads},
    error::{Error, Problem},
    input::Body,
    quota::Quota,
};

/// Routes that hash a password, on the threads of `held` if it is given. A request passes its rate
/// limit and takes a place to hash before it gets a thread.
pub fn with_password(
    state: &SharedState,
    held: Option<RequestThreads>,
) -> OpenApiRouter<SharedState> {
    let threads = option_layer(held);
    let place = from_fn_with_state(state.clone(), take_place);
    let by_address = from_fn_with_state(state.clone(), limits::by_address);
    let by_account = from_fn_with_state(state.clone(), limits::by_account);
    OpenApiRouter::new()
        .routes(routes!(register).layer(threads.clone()).layer(place.clone()).layer(by_address))
        .routes(routes!(login).layer(threads).layer(place).layer(by_account))
        .layer(map_response(never_stored))
}

/// Routes of an existing session.
pub fn sessions() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new()
        .routes(routes!(refresh))
        .layer(map_response(never_stored))
        .routes(routes!(logout))
}

/// Forbids caches to store an answer, because it holds tokens (RFC 6749, 5.1).
async fn never_stored(mut answer: Response) -> Response {
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// Opens an account and logs in.
#[utoipa::path(post, path = "/auth/register", tag = "auth", request_body = RegisterIn, responses(
    (status = CREATED, body = SessionOut, description = "the account's first session"),
    (status = CONFLICT, body = Problem, description = "username or e-mail address is taken"),
    (status = TOO_MANY_REQUESTS, body = Problem, description = "too many from this address")
))]
async fn register(
    State(AppState { db, auth, .. }): State<AppState>,
    model: Model,
    place: HashPlace,
    Body(input): Body<RegisterIn>,
) -> Result<(StatusCode, Json<SessionOut>), Error> {
    let session = service::register(&db, &auth, model, place, input).await?;
    Ok((StatusCode::CREATED, Json(session)))
}

/// Logs in with e-mail address and password.
#[utoipa::path(post, path = "/auth/login", tag = "auth", request_body = LoginIn, responses(
    (status = OK, body = SessionOut, description = "a new session"),
    (status = UNAUTHORIZED, body = Problem, description = "unknown address or wrong password"),
    (status = TOO_MANY_REQUESTS, body = Problem, description = "too many for this account, or from this address")
))]
async fn login(
    State(AppState { db, auth, .. }): State<AppState>,
    model: Model,
    place: HashPlace,
    Body(input): Body<LoginIn>,
) -> Result<Json<SessionOut>, Error> {
    Ok(Json(service::login(&db, &auth, model, place, input).await?))
}

/// Swaps a refresh token for a new pair of tokens.
///
/// Each is good once. Used again within 10 s it is refused, because two windows of a browser may send
/// it at once; the challenge says `just used` then. Used again later, it ends every token that followed
/// from the same login.
#[utoipa::path(post, path = "/auth/refresh", tag = "auth", request_body = RefreshIn, responses(
    (status = OK, body = SessionOut, description = "the session with its next pair of tokens"),
    (status = UNAUTHORIZED, body = Problem, description = "unknown, used, revoked or expired")
))]
async fn refresh(
    State(AppState { db, cache, auth, limits, .. }): State<AppState>,
    Body(RefreshIn { refresh_token }): Body<RefreshIn>,
) -> Result<(Option<Quota>, Json<SessionOut>), Error> {
    // Counted here, as only the database knows whose token it is.
    let user = service::owner(&db, &refresh_token).await?;
    let quota = limits.api(user).await?;
    Ok((quota, Json(service::refresh(&db, &cache, &auth, &refresh_token).await?)))
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
