//! Todos, each owned by one user. `demo` finds the 100 rows that the labs read.

use sea_orm::{QueryOrder, entity::prelude::*};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "todos")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub user_id: i64,
    pub title: String,
    pub description: Option<String>,
    pub completed: bool,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::users::Entity",
        from = "Column::UserId",
        to = "super::users::Column::Id"
    )]
    Owner,
    #[sea_orm(has_many = "super::todo_tags::Entity")]
    Tags,
}

impl Related<super::users::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Owner.def()
    }
}

impl Related<super::todo_tags::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Tags.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}

/// Number of demo todos that every fresh database starts with.
pub const DEMO: u64 = 100;

/// The seeded owner of the demo todos: the first row of `users`.
pub const DEMO_OWNER_ID: i64 = 1;

impl Entity {
    /// The demo todos that labs read, oldest first.
    pub fn demo() -> Select<Entity> {
        Entity::find().filter(Column::UserId.eq(DEMO_OWNER_ID)).order_by_asc(Column::Id)
    }
}
