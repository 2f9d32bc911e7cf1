//! Refresh tokens as digests. Used ones stay until they expire, so that using one again is noticed.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "refresh_tokens")]
pub struct Model {
    /// SHA-256 of the token, as hex.
    #[sea_orm(primary_key, auto_increment = false)]
    pub digest: String,
    /// Family of the token: all tokens that follow from one login share it.
    pub family: String,
    pub user_id: i64,
    pub expires_at: DateTimeUtc,
    /// Expiry of the access token that was issued with it.
    pub access_expires_at: DateTimeUtc,
    pub used_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::users::Entity",
        from = "Column::UserId",
        to = "super::users::Column::Id"
    )]
    User,
}

impl Related<super::users::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::User.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
