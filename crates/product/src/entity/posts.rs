//! Blog posts. `seeded` finds the 100 rows that the labs read; nobody can change those.

use sea_orm::{QueryOrder, entity::prelude::*};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "posts")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub author_id: i64,
    #[sea_orm(unique)]
    pub slug: String,
    pub title: String,
    pub body: String,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::users::Entity",
        from = "Column::AuthorId",
        to = "super::users::Column::Id"
    )]
    Author,
    #[sea_orm(has_many = "super::comments::Entity")]
    Comments,
}

impl Related<super::users::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Author.def()
    }
}

impl Related<super::comments::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Comments.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}

/// Number of posts that every fresh database starts with, and every lab on posts reads.
pub const SEEDED: u64 = 100;

/// Prefix of the slugs of seeded posts, and of no others.
pub const SEED_PREFIX: &str = "seed-";

/// Slug of the n-th seeded post, counted from 1. Zero-padded, so slugs sort as numbers do.
pub fn seed_slug(n: u64) -> String {
    format!("{SEED_PREFIX}{n:07}")
}

impl Model {
    /// True if labs may read the post: then it belongs to nobody, and stays as it is.
    pub fn is_seeded(&self) -> bool {
        self.slug.starts_with(SEED_PREFIX)
    }
}

impl Entity {
    /// The seeded posts that labs read, oldest first.
    pub fn seeded() -> Select<Entity> {
        Entity::find()
            .filter(Column::Slug.between(seed_slug(1), seed_slug(SEEDED)))
            .order_by_asc(Column::Slug)
    }
}
