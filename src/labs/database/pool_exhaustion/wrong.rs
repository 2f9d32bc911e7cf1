//! The fixes that people try first, and each half of the right one.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use axum::{Extension, Json, extract::State};
use governor::DefaultDirectRateLimiter;
use workshop::{own_pool::OwnPool, session::Session, upstream::Upstream};

use super::{SaveIn, SaveOut, checks, saves};
use product::{api::state::AppState, db::Db, error::Error, input::Body, quota::Quota};

/// Connections of the bigger pool: three times the setting of this lab.
const BIGGER_POOL: u32 = 75;

/// Cost of cheaper hashes: a sixteenth of the default's time.
const LOWER_COST: u32 = 8;

/// Saves a second that the limit lets in: what two cores can hash.
const SAVES_PER_SECOND: NonZeroU32 = NonZeroU32::MIN.saturating_add(7);

type Answer = Result<Json<SaveOut>, Error>;

pub fn pool() -> Extension<OwnPool> {
    Extension(OwnPool::of(BIGGER_POOL))
}

/// Saves as slow does, on a bigger pool: the cores hash no faster for it.
pub async fn bigger_pool(
    State(AppState { db, .. }): State<AppState>,
    Extension(pool): Extension<OwnPool>,
    Extension(upstream): Extension<Upstream>,
    Body(save): Body<SaveIn>,
) -> Answer {
    let db = pool.get(&db).await?;
    save_as_slow(db, &upstream, save).await
}

/// Makes each hash cheaper, for the players and for whoever steals the table.
pub async fn lower_cost(
    State(AppState { db, .. }): State<AppState>,
    Extension(upstream): Extension<Upstream>,
    Body(save): Body<SaveIn>,
) -> Answer {
    let connection = db.acquire().await?;
    let player_id = checks::player_at_cost(&connection, &save, LOWER_COST).await?;
    checks::fair_game(&upstream).await?;
    Ok(Json(saves::store(&connection, player_id, save).await?))
}

pub type Limiter = Arc<DefaultDirectRateLimiter>;

pub fn limiter() -> Extension<Limiter> {
    let quota = governor::Quota::per_second(SAVES_PER_SECOND);
    Extension(Arc::new(DefaultDirectRateLimiter::direct(quota)))
}

/// Refuses players instead of serving them; those who get in pay as before.
pub async fn rate_limit(
    State(AppState { db, .. }): State<AppState>,
    Extension(limiter): Extension<Limiter>,
    Extension(upstream): Extension<Upstream>,
    Body(save): Body<SaveIn>,
) -> Answer {
    if limiter.check().is_err() {
        let second = Duration::from_secs(1);
        return Err(Error::TooMany(Quota {
            limit: SAVES_PER_SECOND.get(),
            window_seconds: 1,
            remaining: 0,
            reset: second,
            retry_after: Some(second),
        }));
    }
    save_as_slow(&db, &upstream, save).await
}

/// Half of the fix: nothing is hashed, and the connection is still held during the call.
pub async fn session_alone(
    State(AppState { db, .. }): State<AppState>,
    Extension(upstream): Extension<Upstream>,
    Session { user_id: player_id }: Session,
    Body(save): Body<SaveIn>,
) -> Answer {
    let connection = db.acquire().await?;
    checks::fair_game(&upstream).await?;
    Ok(Json(saves::store(&connection, player_id, save).await?))
}

/// The other half: no connection is held, and each save still costs a hash.
pub async fn late_connection_alone(
    State(AppState { db, .. }): State<AppState>,
    Extension(upstream): Extension<Upstream>,
    Body(save): Body<SaveIn>,
) -> Answer {
    let player_id = checks::player(&db, &save).await?;
    checks::fair_game(&upstream).await?;
    let connection = db.acquire().await?;
    Ok(Json(saves::store(&connection, player_id, save).await?))
}

async fn save_as_slow(db: &Db, upstream: &Upstream, save: SaveIn) -> Answer {
    let connection = db.acquire().await?;
    let player_id = checks::player(&connection, &save).await?;
    checks::fair_game(upstream).await?;
    Ok(Json(saves::store(&connection, player_id, save).await?))
}
