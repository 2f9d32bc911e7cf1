//! Who is in which room.

use product::error::Error;
use sea_orm::{ConnectionTrait, Statement};

use super::JoinIn;

const ENTER: &str = "INSERT INTO join_storm_guests (room, user_id, nickname) VALUES ($1, $2, $3) \
     ON CONFLICT (room, user_id) DO UPDATE SET nickname = excluded.nickname";

/// Enters a guest, or the new nickname of one who comes back: one statement.
pub async fn enter(db: &impl ConnectionTrait, user_id: i64, join: JoinIn) -> Result<(), Error> {
    let values = [join.room.into(), user_id.into(), join.nickname.into()];
    let statement = Statement::from_sql_and_values(db.get_database_backend(), ENTER, values);
    db.execute_raw(statement).await?;
    Ok(())
}
