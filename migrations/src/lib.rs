//! The database schema, one file per table, in the order they are applied.
#![expect(elided_lifetimes_in_paths, reason = "the trait's own signatures leave them out")]

pub use sea_orm_migration::MigratorTrait;
use sea_orm_migration::prelude::*;

mod m20261121_000001_users;
mod m20261121_000002_posts;
mod m20261121_000003_comments;
mod m20261121_000004_todos;
mod m20261121_000005_todo_tags;

pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261121_000001_users::Migration),
            Box::new(m20261121_000002_posts::Migration),
            Box::new(m20261121_000003_comments::Migration),
            Box::new(m20261121_000004_todos::Migration),
            Box::new(m20261121_000005_todo_tags::Migration),
        ]
    }
}
