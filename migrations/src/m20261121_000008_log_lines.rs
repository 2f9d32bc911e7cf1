//! Lines that devices log.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table(LogLines::Table)
                    .if_not_exists()
                    .col(big_pk_auto(LogLines::Id))
                    .col(string_len(LogLines::DeviceId, 100))
                    .col(small_integer(LogLines::LogLevel))
                    .col(text(LogLines::Message))
                    .col(text_null(LogLines::LogData))
                    .col(timestamp_with_time_zone(LogLines::CreatedAt))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .if_not_exists()
                    .name("idx_log_lines_device_id_id")
                    .table(LogLines::Table)
                    .col(LogLines::DeviceId)
                    .col(LogLines::Id)
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(LogLines::Table).to_owned()).await
    }
}

#[derive(DeriveIden)]
enum LogLines {
    Table,
    Id,
    DeviceId,
    LogLevel,
    Message,
    LogData,
    CreatedAt,
}
