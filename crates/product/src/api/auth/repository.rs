//! Queries and statements of auth.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect, SqlErr,
    sea_query::{Expr, LockType, OnConflict},
};

use crate::{
    db::{Db, Transaction},
    entity::{refresh_tokens, revoked_tokens, users},
    error::Error,
};

pub struct NewUser {
    pub username: String,
    pub email: String,
    pub password_hash: String,
}

pub async fn insert_user(txn: &Transaction, new: NewUser) -> Result<users::Model, Error> {
    let user = users::ActiveModel {
        id: NotSet,
        username: Set(new.username),
        email: Set(new.email),
        password_hash: Set(Some(new.password_hash)),
        created_at: Set(Utc::now()),
    };
    user.insert(txn).await.map_err(taken)
}

/// Maps the violated constraint to a conflict. A check beforehand would be a race.
fn taken(error: DbErr) -> Error {
    let Some(SqlErr::UniqueConstraintViolation(constraint)) = error.sql_err() else {
        return error.into();
    };
    let which = if constraint.contains("email") { "e-mail address" } else { "username" };
    Error::Conflict(format!("this {which} is taken"))
}

pub async fn user_by_email(db: &Db, email: &str) -> Result<Option<users::Model>, DbErr> {
    users::Entity::find().filter(users::Column::Email.eq(email)).one(db).await
}

/// Locks a user's row. Every change of the user's tokens does so first, so that a family is never
/// rotated and revoked at once. SQLite has one writer anyway, and no such lock.
pub async fn lock_user(txn: &Transaction, id: i64) -> Result<Option<users::Model>, DbErr> {
    users::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(txn).await
}

pub async fn insert_refresh_token(
    txn: &Transaction,
    token: refresh_tokens::Model,
) -> Result<(), DbErr> {
    let row = refresh_tokens::ActiveModel::from(token).reset_all();
    refresh_tokens::Entity::insert(row).exec_without_returning(txn).await?;
    Ok(())
}

pub async fn refresh_token(
    db: &impl ConnectionTrait,
    digest: &str,
) -> Result<Option<refresh_tokens::Model>, DbErr> {
    refresh_tokens::Entity::find_by_id(digest).one(db).await
}

/// Marks a token as used. True for the one caller that gets to use it.
pub async fn use_refresh_token(txn: &Transaction, digest: &str) -> Result<bool, DbErr> {
    let used = refresh_tokens::Entity::update_many()
        .col_expr(refresh_tokens::Column::UsedAt, Expr::value(Utc::now()))
        .filter(refresh_tokens::Column::Digest.eq(digest))
        .filter(refresh_tokens::Column::UsedAt.is_null())
        .exec(txn)
        .await?;
    Ok(used.rows_affected == 1)
}

/// Deletes all refresh tokens of a family. Returns the expiry of its last access token.
pub async fn delete_family(
    txn: &Transaction,
    family: &str,
) -> Result<Option<DateTime<Utc>>, DbErr> {
    let of_family = refresh_tokens::Column::Family.eq(family);
    let last: Option<Option<DateTime<Utc>>> = refresh_tokens::Entity::find()
        .select_only()
        .column_as(refresh_tokens::Column::AccessExpiresAt.max(), "last")
        .filter(of_family.clone())
        .into_tuple()
        .one(txn)
        .await?;
    refresh_tokens::Entity::delete_many().filter(of_family).exec(txn).await?;
    Ok(last.flatten())
}

pub async fn insert_revoked(txn: &Transaction, row: revoked_tokens::Model) -> Result<(), DbErr> {
    let row = revoked_tokens::ActiveModel::from(row).reset_all();
    revoked_tokens::Entity::insert(row)
        .on_conflict(OnConflict::column(revoked_tokens::Column::Digest).do_nothing().to_owned())
        .exec_without_returning(txn)
        .await?;
    Ok(())
}

pub async fn is_any_revoked(db: &Db, digests: [&str; 2]) -> Result<bool, DbErr> {
    let found = revoked_tokens::Entity::find()
        .filter(revoked_tokens::Column::Digest.is_in(digests))
        .one(db)
        .await?;
    Ok(found.is_some())
}

/// All revocations that have not expired.
pub async fn all_revoked(db: &Db) -> Result<Vec<revoked_tokens::Model>, DbErr> {
    let is_alive = revoked_tokens::Column::ExpiresAt.gt(Utc::now());
    revoked_tokens::Entity::find().filter(is_alive).all(db).await
}

/// Deletes expired rows, which neither refuse nor allow anything any more.
pub async fn delete_expired(db: &Db) -> Result<u64, DbErr> {
    let now = Utc::now();
    let txn = db.begin().await?;
    let revoked = revoked_tokens::Entity::delete_many()
        .filter(revoked_tokens::Column::ExpiresAt.lt(now))
        .exec(&txn)
        .await?;
    // The row of a family's living access token must stay: `delete_family` looks for it.
    let refresh = refresh_tokens::Entity::delete_many()
        .filter(refresh_tokens::Column::ExpiresAt.lt(now))
        .filter(refresh_tokens::Column::AccessExpiresAt.lt(now))
        .exec(&txn)
        .await?;
    txn.commit().await?;
    Ok(revoked.rows_affected + refresh.rows_affected)
}
