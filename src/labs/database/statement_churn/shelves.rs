//! Shelves of the readers, and the rows of both tables, made by the lab's set-up.

use futures_util::future::BoxFuture;
use sea_orm::{QueryOrder, entity::prelude::*};

use product::{
    db::{Db, Transaction},
    error::Error,
};
use workshop::lab::DataError;

/// Shelves, each longer than the one before by an article.
const SHELVES: u64 = TEAMS * READERS;
pub const TEAMS: u64 = 100;
/// Readers of a team.
const READERS: u64 = 10;
/// Articles with news, which are on each shelf.
const NEWS: u64 = 5;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "statement_churn_shelves")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub reader: i32,
    pub articles: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Ids of the articles on the shelf of each reader of a team: one query.
pub async fn of(db: &impl ConnectionTrait, team: u64) -> Result<Vec<Vec<i32>>, Error> {
    let first = team * READERS + 1;
    let shelves = Entity::find().filter(Column::Reader.between(first, first + READERS - 1));
    let shelves = shelves.order_by_asc(Column::Reader).all(db).await?;
    let ids = |shelf: Model| {
        let list = shelf.articles.trim_matches(['[', ']']);
        list.split(',').filter_map(|id| id.parse().ok()).collect()
    };
    Ok(shelves.into_iter().map(ids).collect())
}

/// Makes all rows anew, in one transaction.
pub async fn fill(db: &Db) -> Result<(), DataError> {
    let txn = db.begin().await?;
    for table in ["statement_churn_articles", "statement_churn_shelves"] {
        txn.execute_unprepared(&format!("DELETE FROM {table}")).await?;
    }
    let articles = format!(
        "WITH RECURSIVE numbers (n) AS \
         (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {SHELVES} + {NEWS}) \
         INSERT INTO statement_churn_articles (id, title, is_news) \
         SELECT n, 'Article ' || CAST(n AS TEXT), n <= {NEWS} FROM numbers"
    );
    txn.execute_unprepared(&articles).await?;
    let shelf = |reader: u64| {
        let kept: Vec<_> = (1..=reader + NEWS).map(|n| n.to_string()).collect();
        format!("({reader}, '[{}]')", kept.join(","))
    };
    // All of them would be a longer text than SQLite takes.
    for team in 0..TEAMS {
        let shelves: Vec<_> = (1..=READERS).map(|n| shelf(team * READERS + n)).collect();
        let shelves = shelves.join(", ");
        let insert = format!("INSERT INTO statement_churn_shelves VALUES {shelves}");
        txn.execute_unprepared(&insert).await?;
    }
    Ok(txn.commit().await?)
}

/// Renames an article with news, and takes the news of another.
pub fn change(txn: &Transaction) -> BoxFuture<'_, Result<(), DbErr>> {
    Box::pin(async move {
        let (title, read) = (fastrand::u32(..), fastrand::u64(2..=NEWS));
        let table = "statement_churn_articles";
        for sql in [
            format!("UPDATE {table} SET title = 'Title {title:08x}' WHERE id = 1"),
            format!("UPDATE {table} SET is_news = (id <= {NEWS} AND id <> {read})"),
        ] {
            txn.execute_unprepared(&sql).await?;
        }
        Ok(())
    })
}
