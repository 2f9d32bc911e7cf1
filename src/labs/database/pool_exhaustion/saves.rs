//! Rows of saves, one for each slot of a player.

use product::{
    db::{Db, Transaction},
    error::Error,
};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, Statement};
use workshop::lab::DataError;

use super::{SaveIn, SaveOut};

const STORE: &str = "INSERT INTO pool_exhaustion_saves AS kept \
     (player_id, slot, level, best, state) VALUES ($1, $2, $3, $3, $4) \
     ON CONFLICT (player_id, slot) DO UPDATE SET level = excluded.level, state = excluded.state, \
     best = CASE WHEN excluded.best > kept.best THEN excluded.best ELSE kept.best END \
     RETURNING slot, level, best";

/// Keeps a save in its slot, by one statement.
pub async fn store(
    db: &impl ConnectionTrait,
    player_id: i64,
    save: SaveIn,
) -> Result<SaveOut, Error> {
    let SaveIn { slot, level, state, .. } = save;
    let values = [player_id.into(), slot.into(), level.into(), state.into()];
    let statement = Statement::from_sql_and_values(db.get_database_backend(), STORE, values);
    let kept = SaveOut::find_by_statement(statement).one(db).await?;
    kept.ok_or_else(|| Error::internal("the save returned no row"))
}

pub async fn delete(db: &Db) -> Result<(), DataError> {
    db.execute_unprepared("DELETE FROM pool_exhaustion_saves").await?;
    Ok(())
}

/// Makes all players better than any save of a load, by chance.
pub async fn raise_the_best(txn: &Transaction) -> Result<(), DbErr> {
    let best = fastrand::u32(1_001..1_000_000);
    let sql = format!("UPDATE pool_exhaustion_saves SET best = {best}");
    txn.execute_unprepared(&sql).await.map(drop)
}
