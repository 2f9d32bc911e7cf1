//! URLs and handlers of todos, below `/api/v1` and `/api/v2`.

use axum::{
    Json,
    extract::{OriginalUri, State},
    http::{StatusCode, header},
    response::IntoResponse,
};
use bytes::Bytes;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    bodies::{TodoIn, TodoOut, TodoPatch},
    paging::Page,
    service,
};
use crate::{
    api::auth::CurrentUser,
    api::state::{AppState, SharedState},
    error::{Error, Problem},
    input::{Body, Id},
};

const TAG: &str = "todos";

pub fn router() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(read, update, delete))
}

/// JSON that is sent as it was stored.
struct Stored(Bytes);

impl IntoResponse for Stored {
    fn into_response(self) -> axum::response::Response {
        ([(header::CONTENT_TYPE, "application/json")], self.0).into_response()
    }
}

/// Todos of the caller, newest first: the newest 500, or the requested part.
///
/// A part ends at 1 MiB too, so one that is shorter than requested need not be the last: the last
/// one has no todos.
#[utoipa::path(get, path = "/todos", tag = TAG, params(Page), security(("bearer" = [])), responses(
    (status = OK, body = Vec<TodoOut>, description = "todos of the caller")
))]
async fn list(
    State(AppState { db, cache, .. }): State<AppState>,
    user: CurrentUser,
    page: Page,
) -> Result<impl IntoResponse, Error> {
    Ok(Stored(service::list(&db, &cache, user.id, page).await?))
}

/// Write a todo down.
#[utoipa::path(post, path = "/todos", tag = TAG, request_body = TodoIn, security(("bearer" = [])),
    responses(
    (status = CREATED, body = TodoOut, description = "the todo, with its id",
     headers(("location" = String, description = "where it is"))),
    (status = CONFLICT, body = Problem, description = "the account was deleted meanwhile")
))]
async fn create(
    State(AppState { db, cache, .. }): State<AppState>,
    user: CurrentUser,
    OriginalUri(uri): OriginalUri,
    Body(input): Body<TodoIn>,
) -> Result<impl IntoResponse, Error> {
    let (id, todo) = service::create(&db, &cache, user.id, input).await?;
    // Below the API version that was requested.
    let location = [(header::LOCATION, format!("{}/{id}", uri.path()))];
    Ok((StatusCode::CREATED, location, Json(todo)))
}

/// One of one's todos.
#[utoipa::path(get, path = "/todos/{id}", tag = TAG, params(("id" = i64, Path)),
    security(("bearer" = [])), responses(
    (status = OK, body = TodoOut, description = "the todo")
))]
async fn read(
    State(AppState { db, cache, todo_ids, .. }): State<AppState>,
    user: CurrentUser,
    Id(id): Id,
) -> Result<impl IntoResponse, Error> {
    Ok(Stored(service::get(&db, &cache, &todo_ids, user.id, id).await?))
}

/// Change one of one's todos: the fields that are given.
#[utoipa::path(put, path = "/todos/{id}", tag = TAG, params(("id" = i64, Path)),
    request_body = TodoPatch, security(("bearer" = [])), responses(
    (status = OK, body = TodoOut, description = "the todo as it is now")
))]
async fn update(
    State(AppState { db, cache, todo_ids, .. }): State<AppState>,
    user: CurrentUser,
    Id(id): Id,
    Body(patch): Body<TodoPatch>,
) -> Result<impl IntoResponse, Error> {
    Ok(Stored(service::update(&db, &cache, &todo_ids, user.id, id, patch).await?))
}

/// Delete one of one's todos.
#[utoipa::path(delete, path = "/todos/{id}", tag = TAG, params(("id" = i64, Path)),
    security(("bearer" = [])), responses(
    (status = NO_CONTENT, description = "it is gone")
))]
async fn delete(
    State(AppState { db, cache, .. }): State<AppState>,
    user: CurrentUser,
    Id(id): Id,
) -> Result<StatusCode, Error> {
    service::delete(&db, &cache, user.id, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
