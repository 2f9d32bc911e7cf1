//! Rooms: their rows, made by the lab's set-up.

use product::{
    db::{Db, Transaction},
    error::Error,
};
use sea_orm::entity::prelude::*;
use workshop::lab::DataError;

/// The one room, which everybody joins.
const LOBBY: &str = "INSERT INTO join_storm_rooms (name, title, topic, host, language, is_open, \
     is_for_guests, least_age, longest_nickname, banned_nickname, least_level) \
     VALUES ('lobby', 'The lobby', 'Who plays tonight?', 'Ada', 'en', TRUE, TRUE, 12, 20, 'admin', 1) \
     ON CONFLICT (name) DO NOTHING";

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "join_storm_rooms")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    pub title: String,
    pub topic: String,
    pub host: String,
    pub language: String,
    pub is_open: bool,
    pub is_for_guests: bool,
    pub least_age: i64,
    pub longest_nickname: i64,
    pub banned_nickname: String,
    pub least_level: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The room as it is now: one query.
pub async fn named(db: &impl ConnectionTrait, name: &str) -> Result<Model, Error> {
    let room = Entity::find_by_id(name).one(db).await?;
    room.ok_or_else(|| Error::NotFound("there is no room of this name".to_owned()))
}

pub async fn make(db: &Db) -> Result<(), DataError> {
    db.execute_unprepared(LOBBY).await?;
    Ok(())
}

/// Empties the room, and makes it as it was.
pub async fn make_anew(db: &Db) -> Result<(), DataError> {
    db.execute_unprepared("DELETE FROM join_storm_guests").await?;
    db.execute_unprepared("DELETE FROM join_storm_rooms").await?;
    make(db).await
}

pub async fn change_the_topic(txn: &Transaction) -> Result<(), DbErr> {
    let topic = fastrand::u32(..);
    let sql = format!("UPDATE join_storm_rooms SET topic = 'Topic {topic:08x}'");
    txn.execute_unprepared(&sql).await.map(drop)
}
