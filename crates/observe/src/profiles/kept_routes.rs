//! `/debug/pprof/captures` and `/debug/pprof/diff`: profiles that were taken before.

use axum::{
    Json, Router,
    extract::{Path, Query, State, rejection::PathRejection},
    http::HeaderMap,
    response::{IntoResponse, Response},
    routing::get,
};

use super::{
    Captures, ProfileState, apart, flame, heap,
    kept::Capture,
    page,
    routes::{Format, Given, picture},
};
use crate::{error::Error, format::wants_html, params::Params};

pub fn router() -> Router<ProfileState> {
    Router::new()
        .route("/debug/pprof/captures", get(list))
        .route("/debug/pprof/captures/{id}", get(one))
        .route("/debug/pprof/diff", get(difference))
}

/// Lists the captures at a moment, or that overlap a time range; all of them if none is given.
async fn list(
    State(ProfileState { captures, .. }): State<ProfileState>,
    headers: HeaderMap,
    Query(query): Given,
) -> Result<Response, Error> {
    let mut params = Params::new(query);
    let [at, from, to] = ["at", "from", "to"].map(|name| params.moment(name));
    params.finish()?;
    let (from, to) = (from.max(at), to.into_iter().chain(at).min());
    let is_wanted = |capture: &Capture| {
        from.is_none_or(|from| capture.ended() >= from) && to.is_none_or(|to| capture.started <= to)
    };
    let list = captures.list(is_wanted);
    let sampling = heap::sampling();
    if wants_html(&headers) {
        return Ok(page::list(&list, &sampling).into_response());
    }
    let out = serde_json::json!({
        "captures": list.captures,
        "kept": list.kept,
        "forgotten": list.forgotten,
        "heap_sampling": sampling,
    });
    Ok(Json(out).into_response())
}

async fn one(
    State(ProfileState { captures, .. }): State<ProfileState>,
    id: Result<Path<u64>, PathRejection>,
    Query(query): Given,
) -> Result<Response, Error> {
    let mut params = Params::new(query);
    let format = Format::of(&mut params);
    params.finish()?;
    // An id that is no number names no capture either.
    let Path(id) = id.unwrap_or(Path(0));
    format.send(find(&captures, id)?).await
}

/// Draws capture `b` with its difference to `a`.
async fn difference(
    State(ProfileState { captures, .. }): State<ProfileState>,
    Query(query): Given,
) -> Result<Response, Error> {
    let mut params = Params::new(query);
    let ids = ["a", "b"].map(|name| params.id(name));
    let is_scaled = params.number("scaled", 0..=1, 1) == 1;
    params.finish()?;
    let [a, b] = ids;
    let (a, b) = (find(&captures, a)?, find(&captures, b)?);
    if a.mode != b.mode {
        let message = format!(
            "capture {} is a {} profile and {} a {} profile: two of one kind are needed",
            a.id,
            a.mode.name(),
            b.id,
            b.mode.name()
        );
        return Err(Error::Invalid(vec![crate::error::FieldError::new("b", message)]));
    }
    let drawn = apart(move || flame::draw_difference(&a, &b, is_scaled)).await?;
    Ok(picture(drawn).into_response())
}

fn find(captures: &Captures, id: u64) -> Result<std::sync::Arc<Capture>, Error> {
    captures.get(id).ok_or_else(|| {
        Error::NotFound(format!(
            "there is no capture {id}, or no longer; /debug/pprof/captures lists those there are"
        ))
    })
}
