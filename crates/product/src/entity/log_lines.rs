//! Lines that devices log, newest last.

use sea_orm::entity::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "log_lines")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub device_id: String,
    pub log_level: Level,
    pub message: String,
    /// JSON object as text: it is returned as it came, and nobody searches in it.
    pub log_data: Option<String>,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Severity of a line, stored as the number that Python's logging gives it.
#[derive(Copy, Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum, Serialize, ToSchema)]
#[sea_orm(rs_type = "i16", db_type = "SmallInteger")]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    #[sea_orm(num_value = 10)]
    Debug,
    #[sea_orm(num_value = 20)]
    Info,
    #[sea_orm(num_value = 30)]
    Warning,
    #[sea_orm(num_value = 40)]
    Error,
    #[sea_orm(num_value = 50)]
    Critical,
}

impl Level {
    /// All levels in ascending order, with their public names.
    pub const ALL: [(Self, &str); 5] = [
        (Self::Debug, "DEBUG"),
        (Self::Info, "INFO"),
        (Self::Warning, "WARNING"),
        (Self::Error, "ERROR"),
        (Self::Critical, "CRITICAL"),
    ];

    /// Number that is stored.
    pub fn number(self) -> i16 {
        self.to_value()
    }

    /// Level of a name, in any case. WARN, as most loggers call it, is WARNING.
    pub fn named(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case("WARN") {
            return Some(Self::Warning);
        }
        let found = Self::ALL.iter().find(|(_, known)| name.eq_ignore_ascii_case(known));
        found.map(|(level, _)| *level)
    }
}
