//! Todos, each owned by one user, listed newest first: the index is read backwards.

use sea_orm_migration::{prelude::*, schema::*};

use crate::m20261121_000001_users::Users;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table(Todos::Table)
                    .if_not_exists()
                    .col(big_pk_auto(Todos::Id))
                    .col(big_integer(Todos::UserId))
                    .col(string_len(Todos::Title, 200))
                    .col(text_null(Todos::Description))
                    .col(boolean(Todos::Completed))
                    .col(timestamp_with_time_zone(Todos::CreatedAt))
                    .col(timestamp_with_time_zone(Todos::UpdatedAt))
                    .foreign_key(
                        ForeignKey::create()
                            .from(Todos::Table, Todos::UserId)
                            .to(Users::Table, Users::Id)
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("idx_todos_user_id_id")
                    .table(Todos::Table)
                    .col(Todos::UserId)
                    .col(Todos::Id)
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(Todos::Table).to_owned()).await
    }
}

#[derive(DeriveIden)]
pub(crate) enum Todos {
    Table,
    Id,
    UserId,
    Title,
    Description,
    Completed,
    CreatedAt,
    UpdatedAt,
}
