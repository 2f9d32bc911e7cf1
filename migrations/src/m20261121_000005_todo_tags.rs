//! Tags of a todo. The primary key is also the index that a lookup by todo uses.

use sea_orm_migration::{prelude::*, schema::*};

use crate::m20261121_000004_todos::Todos;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table(TodoTags::Table)
                    .if_not_exists()
                    .col(big_integer(TodoTags::TodoId))
                    .col(string_len(TodoTags::Name, 50))
                    .primary_key(Index::create().col(TodoTags::TodoId).col(TodoTags::Name))
                    .foreign_key(
                        ForeignKey::create()
                            .from(TodoTags::Table, TodoTags::TodoId)
                            .to(Todos::Table, Todos::Id)
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(TodoTags::Table).to_owned()).await
    }
}

#[derive(DeriveIden)]
enum TodoTags {
    Table,
    TodoId,
    Name,
}
