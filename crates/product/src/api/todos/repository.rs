//! Queries and statements of todos.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, ExprTrait, QueryFilter,
    QueryOrder, QuerySelect, Statement,
};

use super::{
    bodies::{TodoIn, TodoPatch},
    paging::Page,
};
use crate::{
    api::fitting,
    db::Db,
    entity::todos::{ActiveModel, Column, Entity, Model},
};

/// Last id of the sequence. A higher id set by hand must not count: lower ones are still to come.
const LAST_OF_SEQUENCE: &str = "SELECT COALESCE(pg_sequence_last_value(\
    pg_get_serial_sequence('todos', 'id')::regclass), 0) AS id";

/// Todos of a user, newest first: ids grow with time.
pub async fn list(db: &Db, owner: i64, page: &Page) -> Result<Vec<Model>, DbErr> {
    let (owner, texts) = ((Column::UserId, owner.into()), [Column::Title, Column::Description]);
    fitting::newest::<Entity>(db, owner, &texts, page.cursor, page.limit.into()).await
}

pub async fn by_id(db: &impl ConnectionTrait, id: i64) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

pub async fn insert(
    db: &impl ConnectionTrait,
    owner: i64,
    todo: TodoIn,
    now: DateTime<Utc>,
) -> Result<Model, DbErr> {
    let TodoIn { title, description, completed } = todo;
    let row = ActiveModel {
        id: NotSet,
        user_id: Set(owner),
        title: Set(title),
        description: Set(description),
        completed: Set(completed),
        created_at: Set(now),
        updated_at: Set(now),
    };
    Entity::insert(row).exec_with_returning(db).await
}

/// Changes only the columns that are given, so that two changes at once both last. False if the
/// owner has no such todo.
pub async fn update(
    db: &impl ConnectionTrait,
    owner: i64,
    id: i64,
    patch: TodoPatch,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let mut changed = ActiveModel { updated_at: Set(now), ..Default::default() };
    if let Some(title) = patch.title {
        changed.title = Set(title);
    }
    if let Some(description) = patch.description {
        changed.description = Set(description);
    }
    if let Some(completed) = patch.completed {
        changed.completed = Set(completed);
    }
    let one = Column::Id.eq(id).and(Column::UserId.eq(owner));
    Ok(Entity::update_many().set(changed).filter(one).exec(db).await?.rows_affected > 0)
}

/// Deletes a todo. False if the owner has no such todo.
pub async fn delete(db: &impl ConnectionTrait, owner: i64, id: i64) -> Result<bool, DbErr> {
    let one = Column::Id.eq(id).and(Column::UserId.eq(owner));
    Ok(Entity::delete_many().filter(one).exec(db).await?.rows_affected > 0)
}

/// Highest id that was assigned; 0 if there was none.
pub async fn last_id(db: &impl ConnectionTrait) -> Result<i64, DbErr> {
    let backend = db.get_database_backend();
    if backend == DbBackend::Postgres {
        let last = Statement::from_string(backend, LAST_OF_SEQUENCE);
        let row = db.query_one_raw(last).await?;
        return row.map_or(Ok(0), |row| row.try_get("", "id"));
    }
    let newest = Entity::find().select_only().column(Column::Id).order_by_desc(Column::Id);
    Ok(newest.into_tuple().one(db).await?.unwrap_or(0))
}

/// Ids above one and up to another, the lowest first.
pub async fn ids(
    db: &impl ConnectionTrait,
    above: i64,
    upto: i64,
    limit: u64,
) -> Result<Vec<i64>, DbErr> {
    Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::Id.gt(above).and(Column::Id.lte(upto)))
        .order_by_asc(Column::Id)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await
}
