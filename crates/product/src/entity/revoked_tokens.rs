//! What is refused although its signature is good: access tokens, and families of them.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "revoked_tokens")]
pub struct Model {
    /// SHA-256 of the access token or of the family, as hex.
    #[sea_orm(primary_key, auto_increment = false)]
    pub digest: String,
    /// From then on the row is of no use: what it refuses has expired.
    pub expires_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
