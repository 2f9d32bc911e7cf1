//! Routes of the upstream, each below the name of its caller, and the faults in front of them.

use std::{sync::Arc, time::Duration};

use axum::{
    Extension, Json, Router,
    extract::{ConnectInfo, MatchedPath, Path, Query, Request, State},
    http::{StatusCode, header::CONNECTION},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep, sleep_until};
use tracing::Instrument;

use super::{Service, caller::Caller, connections::Connection, faults::Fate};
use observe::request_id::REQUEST_ID;
use product::{entity::todo_tags, error::Error};

/// Longest time without an answer, so that a client without a timeout is not held for ever.
const LONGEST_STALL: Duration = Duration::from_secs(30);

pub fn router(service: Service) -> Router {
    Router::new()
        .route("/{lab}/{variant}/tags", get(tags))
        .route("/{lab}/{variant}/check", get(check))
        .route("/{lab}/{variant}/mail", post(mail))
        .route_layer(from_fn_with_state(service.clone(), traced))
        .with_state(service)
}

/// Continues the caller's trace, and serves a caller that is known.
async fn traced(
    State(service): State<Service>,
    Path((lab, variant)): Path<(String, String)>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    route: MatchedPath,
    request: Request,
    next: Next,
) -> Response {
    let Some(caller) = service.caller(&lab, &variant) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let name = format!("{lab}/{variant}");
    let span = observe::upstream::served(service.sampler(), &request, route.as_str(), name);
    let answer = with_faults(&caller, &connection, request, next).instrument(span.clone()).await;
    observe::upstream::was_served(&span, answer.status().as_u16());
    answer
}

async fn with_faults(
    caller: &Arc<Caller>,
    connection: &Connection,
    mut request: Request,
    next: Next,
) -> Response {
    let arrived = Instant::now();
    let _in_flight = caller.arrived();
    observe::upstream::arrived(request.headers());
    if !connection.admits(caller) {
        caller.refused();
        return (StatusCode::SERVICE_UNAVAILABLE, [(CONNECTION, "close")]).into_response();
    }
    let request_id = request.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok());
    let (faults, fate) = caller.next(request_id);
    let answer = match fate {
        Fate::Answered => {
            request.extensions_mut().insert(caller.clone());
            next.run(request).await
        }
        Fate::Failed(status) => status.into_response(),
        Fate::Stalled => {
            sleep(LONGEST_STALL).await;
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    };
    // Its own work counts too, so the distance is the same for all of its routes.
    sleep_until(arrived + faults.latency).await;
    answer
}

#[derive(Deserialize)]
struct TagsOf {
    todo: i64,
}

/// Tags of a todo, in alphabetical order.
async fn tags(
    State(service): State<Service>,
    Query(TagsOf { todo }): Query<TagsOf>,
) -> Result<Json<Vec<String>>, Error> {
    let tags = todo_tags::Entity::find()
        .select_only()
        .column(todo_tags::Column::Name)
        .filter(todo_tags::Column::TodoId.eq(todo))
        .order_by_asc(todo_tags::Column::Name)
        .into_tuple()
        .all(service.db().await?)
        .await?;
    Ok(Json(tags))
}

#[derive(Serialize)]
struct Checked {
    ok: bool,
}

/// A check that always says yes.
async fn check() -> Json<Checked> {
    Json(Checked { ok: true })
}

#[derive(Deserialize)]
struct Mail {
    #[serde(rename = "to")]
    _to: String,
}

/// Takes a mail, counts it, and sends it nowhere.
async fn mail(Extension(caller): Extension<Arc<Caller>>, Json(_): Json<Mail>) -> StatusCode {
    caller.mailed();
    StatusCode::ACCEPTED
}
