//! Slow: takes a connection, and does all of the save with it.

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
    // BOTTLENECK: a password hash and a call are waited for with the connection in hand, so as many
    // saves as the pool has connections keep all others waiting.
    let player_id = checks::player(&connection, &save).await?;
    checks::fair_game(&upstream).await?;
    Ok(Json(saves::store(&connection, player_id, save).await?))
}
