//! Number of lines of each level that a device has logged. It changes in the transaction that
//! stores the lines, so nobody has to count those.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut devices = Table::create();
        devices
            .table(LogDevices::Table)
            .if_not_exists()
            .col(string_len(LogDevices::DeviceId, 100).primary_key());
        for level in LEVELS {
            devices.col(big_integer(level).default(0));
        }
        manager.create_table(devices).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(LogDevices::Table).to_owned()).await
    }
}

const LEVELS: [LogDevices; 5] = [
    LogDevices::Debug,
    LogDevices::Info,
    LogDevices::Warning,
    LogDevices::Error,
    LogDevices::Critical,
];

#[derive(DeriveIden)]
enum LogDevices {
    Table,
    DeviceId,
    Debug,
    Info,
    Warning,
    Error,
    Critical,
}
