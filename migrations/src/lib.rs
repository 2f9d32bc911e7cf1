//! The database schema, one file per table, in the order they are applied.
#![expect(elided_lifetimes_in_paths, reason = "the trait's own signatures leave them out")]

pub use sea_orm_migration::MigratorTrait;
use sea_orm_migration::prelude::*;

mod m20261121_000001_users;
mod m20261121_000002_posts;
mod m20261121_000003_comments;
mod m20261121_000004_todos;
mod m20261121_000005_todo_tags;
mod m20261121_000006_refresh_tokens;
mod m20261121_000007_revoked_tokens;
mod m20261121_000008_log_lines;
mod m20261121_000009_log_devices;
mod m20261128_000010_write_proofs;

pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261121_000001_users::Migration),
            Box::new(m20261121_000002_posts::Migration),
            Box::new(m20261121_000003_comments::Migration),
            Box::new(m20261121_000004_todos::Migration),
            Box::new(m20261121_000005_todo_tags::Migration),
            Box::new(m20261121_000006_refresh_tokens::Migration),
            Box::new(m20261121_000007_revoked_tokens::Migration),
            Box::new(m20261121_000008_log_lines::Migration),
            Box::new(m20261121_000009_log_devices::Migration),
            Box::new(m20261128_000010_write_proofs::Migration),
        ]
    }
}
