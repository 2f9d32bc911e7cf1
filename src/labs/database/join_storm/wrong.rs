//! The fixes that people try first, and each half of the right one.

use axum::{Extension, extract::State};
use workshop::{own_pool::OwnPool, password, session::Session};

use super::{JoinIn, Joined, guests, joined, rooms, rules};
use product::{api::state::AppState, db::Db, error::Error, input::Body};

/// Connections of the bigger pool: three times the default.
const BIGGER_POOL: u32 = 60;

/// Cheapest cost that bcrypt has.
const LOWEST_COST: u32 = 4;

pub fn pool() -> Extension<OwnPool> {
    Extension(OwnPool::of(BIGGER_POOL))
}

/// Makes the hash as cheap as it gets, for guests and for whoever steals the table.
pub async fn lower_cost(
    State(AppState { db, .. }): State<AppState>,
    Body(join): Body<JoinIn>,
) -> Joined {
    let guest = password::account_at_cost(&db, &join.guest, &join.password, LOWEST_COST).await?;
    let room = demand_rules_one_by_one(&db, &join).await?;
    guests::enter(&db, guest.id, join).await?;
    joined(room)
}

/// Joins as slow does, on a bigger pool: a hash takes no connection, and as long as before.
pub async fn bigger_pool(
    State(AppState { db, .. }): State<AppState>,
    Extension(pool): Extension<OwnPool>,
    Body(join): Body<JoinIn>,
) -> Joined {
    let db = pool.get(&db).await?;
    let guest = password::account(db, &join.guest, &join.password).await?;
    let room = demand_rules_one_by_one(db, &join).await?;
    guests::enter(db, guest.id, join).await?;
    joined(room)
}

/// Half of the fix: nothing is hashed, and each rule still reads the room.
pub async fn session_alone(
    State(AppState { db, .. }): State<AppState>,
    Session { user_id }: Session,
    Body(join): Body<JoinIn>,
) -> Joined {
    let room = demand_rules_one_by_one(&db, &join).await?;
    guests::enter(&db, user_id, join).await?;
    joined(room)
}

/// The other half: the room is read once, and each join still costs a hash.
pub async fn one_read_alone(
    State(AppState { db, .. }): State<AppState>,
    Body(join): Body<JoinIn>,
) -> Joined {
    let guest = password::account(&db, &join.guest, &join.password).await?;
    let room = rooms::named(&db, &join.room).await?;
    for rule in rules::ALL {
        rule.demand(&room, &join)?;
    }
    guests::enter(&db, guest.id, join).await?;
    joined(room)
}

/// Reads the room once a rule, and once more.
async fn demand_rules_one_by_one(db: &Db, join: &JoinIn) -> Result<rooms::Model, Error> {
    for rule in rules::ALL {
        rule.demand(&rooms::named(db, &join.room).await?, join)?;
    }
    rooms::named(db, &join.room).await
}
