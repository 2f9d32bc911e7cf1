//! Demands on a save: its player, and a fair game. Both wait for something that is not the database.

use observe::request_cost::{self, Call};
use product::error::Error;
use sea_orm::ConnectionTrait;
use workshop::{password, upstream::Upstream};

use super::{HELD_WORK, SaveIn};

/// Player whose name and password the save brings: a query and a hash.
pub async fn player(db: &impl ConnectionTrait, save: &SaveIn) -> Result<i64, Error> {
    count_if_held();
    Ok(password::account(db, &save.player, &save.password).await?.id)
}

/// The same, once all accounts have hashes of another cost.
pub async fn player_at_cost(
    db: &impl ConnectionTrait,
    save: &SaveIn,
    cost: u32,
) -> Result<i64, Error> {
    count_if_held();
    Ok(password::account_at_cost(db, &save.player, &save.password, cost).await?.id)
}

/// Asks the anti-cheat service, which is 20 ms away.
pub async fn fair_game(upstream: &Upstream) -> Result<(), Error> {
    count_if_held();
    upstream.check().await
}

fn count_if_held() {
    if request_cost::under_way(Call::Connection) > 0 {
        HELD_WORK.add(1);
    }
}
