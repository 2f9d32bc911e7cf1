//! Fast: the winner from the cache; if it is not there, one visitor loads it and all others wait.

use std::sync::Arc;

use axum::{Extension, Json, extract::State};
use workshop::upstream::Upstream;

use super::{
    rush::{RushOut, TTL, Visit, rush},
    single_flight::SingleFlight,
    winner::{KEY, Winner},
};
use product::{api::state::AppState, error::Error};

pub async fn handler(
    State(AppState { db, .. }): State<AppState>,
    Extension(upstream): Extension<Upstream>,
) -> Result<Json<RushOut>, Error> {
    let flight = SingleFlight::default();
    rush(&db, &upstream, TTL, |visit| winner(visit, flight.clone())).await
}

pub async fn winner(visit: Visit, flight: SingleFlight) -> Result<Arc<Winner>, Error> {
    let Visit { db, upstream, cache } = visit;
    if let Some(winner) = cache.get(KEY).await {
        return Ok(winner);
    }
    // FIX: one visitor has the turn to load; those who waited find the entry on a second look.
    let _turn = flight.turn(KEY).await;
    if let Some(winner) = cache.get(KEY).await {
        return Ok(winner);
    }
    let winner = Arc::new(Winner::load(&db, &upstream).await?);
    cache.insert(KEY, winner.clone()).await;
    Ok(winner)
}
