//! The rows of the tables: 2,000 articles, computed from their numbers, three customers, and the
//! version of them all.

use futures_util::future::BoxFuture;
use sea_orm::{ActiveValue::Set, DbBackend, QueryOrder, Statement, entity::prelude::*};

use super::catalogue::{Article, Catalogue, Copied, Customer, Property};
use product::{
    db::{Db, Transaction},
    error::Error,
};
use workshop::lab::DataError;

const ARTICLES: usize = 2_000;

/// Rows of one INSERT. Their values are far fewer than a statement may have.
const CHUNK: usize = 250;

/// Version of the catalogue after `fill`. All databases have the same one then, so it says the same
/// of each.
const FILLED: i64 = 0;

const CUSTOMERS: &str = "INSERT INTO clone_storm_customers (name, discount, tier) \
    VALUES ('acme', 10, 3), ('initech', 20, 2), ('guest', 0, 0)";

/// Words of the titles.
const KINDS: [&str; 7] = ["Drill", "Saw", "Lathe", "Press", "Clamp", "Vice", "Hoist"];
const SERIES: [&str; 5] = ["Atlas", "Boreas", "Corvus", "Draco", "Electra"];

/// Sentence of the descriptions.
const SENTENCE: &str = "Made for workshops that run around the clock, with parts that are \
    in stock for ten years and a guarantee that covers wear.";

/// Properties of every article.
const PROPERTIES: &str = "colour=signal red;weight=1.8 kg;material=hardened steel;\
    length=240 mm;width=60 mm;voltage=18 V;noise=71 dB;origin=European Union";

/// Articles, as their table has them.
mod article {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "clone_storm_articles")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i64,
        pub number: String,
        pub title: String,
        pub description: String,
        /// Words, with a space between them.
        pub tags: String,
        /// `name=value`, with a semicolon between them.
        pub properties: String,
        pub price: i64,
        pub tier: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Customers, as their table has them.
mod customer {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "clone_storm_customers")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
        pub discount: i64,
        pub tier: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Version of the catalogue that the tables have now.
pub async fn version(db: &Db) -> Result<i64, Error> {
    let sql = "SELECT version FROM clone_storm_version";
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    let row = row.ok_or_else(|| Error::internal("the catalogue has no version"))?;
    Ok(row.try_get_by_index(0)?)
}

/// The whole catalogue: two queries.
pub async fn catalogue(db: &Db) -> Result<Catalogue, Error> {
    let articles = article::Entity::find().order_by_asc(article::Column::Id).all(db).await?;
    let customers = customer::Entity::find().all(db).await?;
    Ok(Catalogue {
        articles: articles.into_iter().map(Article::from).collect(),
        customers: customers.into_iter().map(Customer::from).collect(),
    })
}

impl From<article::Model> for Article {
    fn from(row: article::Model) -> Self {
        let property = |text: &str| {
            let (name, value) = text.split_once('=').unwrap_or((text, ""));
            Property { name: name.to_owned(), value: value.to_owned() }
        };
        Self {
            number: row.number,
            title: row.title,
            description: row.description,
            tags: row.tags.split(' ').map(str::to_owned).collect(),
            properties: row.properties.split(';').map(property).collect(),
            price: row.price,
            tier: row.tier,
            copied: Copied,
        }
    }
}

impl From<customer::Model> for Customer {
    fn from(customer::Model { name, discount, tier }: customer::Model) -> Self {
        Self { name, discount, tier }
    }
}

/// Fills all tables anew, in one transaction: whoever reads meanwhile finds the rows of before.
pub async fn fill(db: &Db) -> Result<(), DataError> {
    let txn = db.begin().await?;
    if db.get_database_backend() == DbBackend::Postgres {
        // Another instance that fills them waits here, or both would insert the same ids.
        txn.execute_unprepared("LOCK TABLE clone_storm_articles IN EXCLUSIVE MODE").await?;
    }
    txn.execute_unprepared("DELETE FROM clone_storm_articles").await?;
    txn.execute_unprepared("DELETE FROM clone_storm_customers").await?;
    let articles: Vec<_> = (1..=ARTICLES).map(article_of).collect();
    for chunk in articles.chunks(CHUNK) {
        article::Entity::insert_many(chunk.to_vec()).exec_without_returning(&txn).await?;
    }
    txn.execute_unprepared(CUSTOMERS).await?;
    set_version(&txn, FILLED).await?;
    Ok(txn.commit().await?)
}

/// The n-th article, counted from 1.
fn article_of(n: usize) -> article::ActiveModel {
    let (kind, series) = (KINDS[n % KINDS.len()], SERIES[n / 3 % SERIES.len()]);
    let title = format!("{kind} {series} {n}");
    let n = n as i64;
    article::ActiveModel {
        id: Set(n),
        number: Set(format!("A-{n:05}")),
        description: Set(format!("{title}. {}", [SENTENCE; 6].join(" "))),
        title: Set(title),
        tags: Set(format!("{kind} {series} workshop professional spare-parts guaranteed")),
        properties: Set(PROPERTIES.to_owned()),
        price: Set(1_000 + n * 37 % 50_000),
        tier: Set(n % 5),
    }
}

async fn set_version(txn: &Transaction, version: i64) -> Result<(), DbErr> {
    txn.execute_unprepared("DELETE FROM clone_storm_version").await?;
    let sql = format!("INSERT INTO clone_storm_version (version) VALUES ({version})");
    txn.execute_unprepared(&sql).await.map(drop)
}

/// Gives every customer another discount, half of the articles another title, and hides one of them
/// from everybody, so that another is the last of the page.
pub fn change(txn: &Transaction) -> BoxFuture<'_, Result<(), DbErr>> {
    Box::pin(async move {
        let (discount, half, revision) =
            (fastrand::u8(30..80), fastrand::u8(..2), fastrand::u32(..));
        let hidden = fastrand::i64(1..20);
        for sql in [
            format!("UPDATE clone_storm_customers SET discount = {discount}"),
            format!(
                "UPDATE clone_storm_articles SET title = 'Revised ' || number || ' {revision:08x}' \
                 WHERE id % 2 = {half}"
            ),
            format!("UPDATE clone_storm_articles SET tier = 100 WHERE id = {hidden}"),
        ] {
            txn.execute_unprepared(&sql).await?;
        }
        set_version(txn, fastrand::i64(1..)).await
    })
}
