//! Slow: the winner from the cache; if it is not there, it is loaded and stored for the next.

use std::sync::Arc;

use axum::{Extension, Json, extract::State};
use workshop::upstream::Upstream;

use super::{
    rush::{RushOut, TTL, Visit, rush},
    winner::{KEY, Winner},
};
use product::{api::state::AppState, error::Error};

pub async fn handler(
    State(AppState { db, .. }): State<AppState>,
    Extension(upstream): Extension<Upstream>,
) -> Result<Json<RushOut>, Error> {
    rush(&db, &upstream, TTL, winner).await
}

pub async fn winner(visit: Visit) -> Result<Arc<Winner>, Error> {
    let Visit { db, upstream, cache } = visit;
    if let Some(winner) = cache.get(KEY).await {
        return Ok(winner);
    }
    // BOTTLENECK: a load takes a while, and all who come meanwhile miss too and load the same.
    let winner = Arc::new(Winner::load(&db, &upstream).await?);
    cache.insert(KEY, winner.clone()).await;
    Ok(winner)
}
