//! Access tokens, and families of them, that are refused although their signature is valid.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "revoked_tokens")]
pub struct Model {
    /// SHA-256 of the access token or of the family, as hex.
    #[sea_orm(primary_key, auto_increment = false)]
    pub digest: String,
    /// Expiry of what the row refuses: from then on the row is of no use.
    pub expires_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
