//! One row of each running instance, written to check that the database accepts writes.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut proofs = Table::create();
        proofs
            .table(WriteProofs::Table)
            .if_not_exists()
            .col(big_integer(WriteProofs::Instance).primary_key())
            .col(big_integer(WriteProofs::WrittenAt))
            .col(binary(WriteProofs::Filler));
        manager.create_table(proofs).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(WriteProofs::Table).to_owned()).await
    }
}

#[derive(DeriveIden)]
enum WriteProofs {
    Table,
    Instance,
    WrittenAt,
    Filler,
}
