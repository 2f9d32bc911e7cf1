//! `/api/posts` and below. Routes of labs, such as `/api/posts/v1/slow`, belong to the labs.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    bodies::{CommentIn, CommentOut, PostIn, PostOut, PostPatch, PostSummary},
    paging::{COMMENTS, POSTS, Page, PageOf},
    service,
};
use crate::{
    api::auth::CurrentUser,
    api::state::{AppState, SharedState},
    error::{Error, Problem},
    input::{Body, Id},
};

const TAG: &str = "posts";

pub fn router() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(read, update, delete))
        .routes(routes!(comments, comment))
}

/// Posts, newest first.
#[utoipa::path(get, path = "/api/posts", tag = TAG, params(
    ("limit" = Option<u32>, Query, minimum = 1, maximum = 100,
     description = "most posts of the answer, 20 if it is left out; it ends at 1 MiB too"),
    ("cursor" = Option<String>, Query, pattern = "^p[0-9a-f]{14}[0-7][0-9a-f]{15}$",
     description = "`next_cursor` of the page before; none for the first page",
     example = "p06474849b3c700000000000000002a"),
    ("author" = Option<i64>, Query, minimum = 1, description = "only the posts of the user with this id",
     example = 11),
), responses(
    (status = OK, body = Page<PostSummary>, description = "a page of posts, without their bodies")
))]
async fn list(
    State(AppState { db, .. }): State<AppState>,
    page: PageOf<POSTS>,
) -> Result<Json<Page<PostSummary>>, Error> {
    Ok(Json(service::list(&db, &page).await?))
}

/// Write a post.
#[utoipa::path(post, path = "/api/posts", tag = TAG, request_body = PostIn, security(("bearer" = [])),
    responses(
    (status = CREATED, body = PostOut, description = "the post, with its slug",
     headers(("location" = String, description = "where it is"))),
    (status = CONFLICT, body = Problem, description = "the account was deleted meanwhile")
))]
async fn create(
    State(AppState { db, .. }): State<AppState>,
    user: CurrentUser,
    Body(input): Body<PostIn>,
) -> Result<impl IntoResponse, Error> {
    let post = service::create(&db, user.id, input).await?;
    let location = [(header::LOCATION, format!("/api/posts/{}", post.summary.id))];
    Ok((StatusCode::CREATED, location, Json(post)))
}

/// One post.
#[utoipa::path(get, path = "/api/posts/{id}", tag = TAG, params(("id" = i64, Path)), responses(
    (status = OK, body = PostOut, description = "the post")
))]
async fn read(
    State(AppState { db, .. }): State<AppState>,
    Id(id): Id,
) -> Result<Json<PostOut>, Error> {
    Ok(Json(service::get(&db, id).await?))
}

/// Change one's own post: the fields that are given. Its slug stays.
#[utoipa::path(put, path = "/api/posts/{id}", tag = TAG, params(("id" = i64, Path)),
    request_body = PostPatch, security(("bearer" = [])), responses(
    (status = OK, body = PostOut, description = "the post as it is now"),
    (status = FORBIDDEN, body = Problem, description = "somebody else wrote it")
))]
async fn update(
    State(AppState { db, .. }): State<AppState>,
    user: CurrentUser,
    Id(id): Id,
    Body(patch): Body<PostPatch>,
) -> Result<Json<PostOut>, Error> {
    Ok(Json(service::update(&db, user.id, id, patch).await?))
}

/// Delete one's own post, with all comments.
#[utoipa::path(delete, path = "/api/posts/{id}", tag = TAG, params(("id" = i64, Path)),
    security(("bearer" = [])), responses(
    (status = NO_CONTENT, description = "it is gone"),
    (status = FORBIDDEN, body = Problem, description = "somebody else wrote it")
))]
async fn delete(
    State(AppState { db, .. }): State<AppState>,
    user: CurrentUser,
    Id(id): Id,
) -> Result<StatusCode, Error> {
    service::delete(&db, user.id, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The comments of a post, oldest first.
#[utoipa::path(get, path = "/api/posts/{id}/comments", tag = TAG, params(
    ("id" = i64, Path),
    ("limit" = Option<u32>, Query, minimum = 1, maximum = 100,
     description = "most comments of the answer, 20 if it is left out; it ends at 1 MiB too"),
    ("cursor" = Option<String>, Query, pattern = "^c[0-9a-f]{14}[0-7][0-9a-f]{15}$",
     description = "`next_cursor` of the page before; none for the first page",
     example = "c06474849b3c700000000000000002a"),
), responses(
    (status = OK, body = Page<CommentOut>, description = "a page of comments")
))]
async fn comments(
    State(AppState { db, .. }): State<AppState>,
    Id(id): Id,
    page: PageOf<COMMENTS>,
) -> Result<Json<Page<CommentOut>>, Error> {
    Ok(Json(service::comments(&db, id, &page).await?))
}

/// Comment on a post, one's own or another's.
#[utoipa::path(post, path = "/api/posts/{id}/comments", tag = TAG, params(("id" = i64, Path)),
    request_body = CommentIn, security(("bearer" = [])), responses(
    (status = CREATED, body = CommentOut, description = "the comment"),
    (status = FORBIDDEN, body = Problem, description = "a seeded post, which labs read"),
    (status = CONFLICT, body = Problem, description = "post or account was deleted meanwhile")
))]
async fn comment(
    State(AppState { db, .. }): State<AppState>,
    user: CurrentUser,
    Id(id): Id,
    Body(input): Body<CommentIn>,
) -> Result<(StatusCode, Json<CommentOut>), Error> {
    Ok((StatusCode::CREATED, Json(service::comment(&db, user.id, id, input).await?)))
}
