//! Fast: knows the player by the session, and takes a connection for the row alone.

use axum::{Extension, Json, extract::State};
use workshop::{session::Session, upstream::Upstream};

use super::{SaveIn, SaveOut, checks, saves};
use product::{api::state::AppState, error::Error, input::Body};

pub async fn handler(
    State(AppState { db, .. }): State<AppState>,
    Extension(upstream): Extension<Upstream>,
    Session { user_id: player_id }: Session,
    Body(save): Body<SaveIn>,
) -> Result<Json<SaveOut>, Error> {
    // FIX: the session's signature proves the player without a hash, and the connection is taken
    // when nothing else is left to wait for.
    checks::fair_game(&upstream).await?;
    let connection = db.acquire().await?;
    Ok(Json(saves::store(&connection, player_id, save).await?))
}
