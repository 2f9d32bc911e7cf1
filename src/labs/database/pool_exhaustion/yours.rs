//! Yours: starts as slow does. Edit and save it; `chokepoint watch pool-exhaustion` grades it.
#![allow(clippy::all, reason = "a lint would name the bottleneck")]

use axum::{Extension, Json, extract::State};
use workshop::upstream::Upstream;

use super::{SaveIn, SaveOut, checks, saves};
use product::{api::state::AppState, error::Error, input::Body};

pub async fn handler(
    State(AppState { db, .. }): State<AppState>,
    Extension(upstream): Extension<Upstream>,
    Body(save): Body<SaveIn>,
) -> Result<Json<SaveOut>, Error> {
    let connection = db.acquire().await?;
    let player_id = checks::player(&connection, &save).await?;
    checks::fair_game(&upstream).await?;
    Ok(Json(saves::store(&connection, player_id, save).await?))
}
