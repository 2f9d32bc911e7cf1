//! The fixes that people try first: they move the expiry, give it up, or make the loads wait.

use std::sync::Arc;

use axum::{Extension, Json, extract::State};
use workshop::upstream::Upstream;

use super::{
    rush::{RushOut, TTL, Visit, rush},
    single_flight::SingleFlight,
    slow,
    winner::{KEY, Winner, Winners},
};
use product::{api::state::AppState, error::Error};

/// Keeps the entry five times as long: it expires less often, and each time for all at once.
pub async fn longer_ttl(
    State(AppState { db, .. }): State<AppState>,
    Extension(upstream): Extension<Upstream>,
) -> Result<Json<RushOut>, Error> {
    rush(&db, &upstream, TTL * 5, slow::winner).await
}

/// Adds a random time to the TTL, which parts keys from each other: here all want the same one.
pub async fn jitter(
    State(AppState { db, .. }): State<AppState>,
    Extension(upstream): Extension<Upstream>,
) -> Result<Json<RushOut>, Error> {
    let ttl = TTL.mul_f64(1.0 + fastrand::f64());
    rush(&db, &upstream, ttl, slow::winner).await
}

/// Lets no entry expire: no load at all, and nobody sees a vote that came after the first visitor.
pub async fn no_ttl(
    State(AppState { db, .. }): State<AppState>,
    Extension(upstream): Extension<Upstream>,
) -> Result<Json<RushOut>, Error> {
    let cache = Winners::new(1);
    let winner = |visit| slow::winner(Visit { cache: cache.clone(), ..visit });
    rush(&db, &upstream, TTL, winner).await
}

/// Locks the load and looks no second time: all of the loads come, one after the other.
pub async fn lock_alone(
    State(AppState { db, .. }): State<AppState>,
    Extension(upstream): Extension<Upstream>,
) -> Result<Json<RushOut>, Error> {
    let flight = SingleFlight::default();
    rush(&db, &upstream, TTL, |visit| winner_in_turn(visit, flight.clone())).await
}

async fn winner_in_turn(visit: Visit, flight: SingleFlight) -> Result<Arc<Winner>, Error> {
    let Visit { db, upstream, cache } = visit;
    if let Some(winner) = cache.get(KEY).await {
        return Ok(winner);
    }
    let _turn = flight.turn(KEY).await;
    let winner = Arc::new(Winner::load(&db, &upstream).await?);
    cache.insert(KEY, winner.clone()).await;
    Ok(winner)
}
