//! The todo with the most votes: what the cache holds, and the load that makes it.

use std::{sync::Arc, time::Instant};

use observe::cost::own::OwnCounter;
use product::{db::Db, error::Error};
use sea_orm::{ConnectionTrait, FromQueryResult, Statement};
use serde::Serialize;
use workshop::upstream::Upstream;

pub static LOADS: OwnCounter = OwnCounter::new("loads", "Loads of the cached value.");

/// The cache of the start page.
pub type Winners = moka::future::Cache<&'static str, Arc<Winner>>;

/// Key of the only entry.
pub const KEY: &str = "winner";

const MOST_VOTES: &str = "
    SELECT todos.id, todos.title, counted.votes
    FROM (SELECT todo_id, COUNT(*) AS votes FROM cache_stampede_votes GROUP BY todo_id) AS counted
    JOIN todos ON todos.id = counted.todo_id
    ORDER BY counted.votes DESC, todos.id LIMIT 1";

/// The todo of the start page.
#[derive(Serialize)]
pub struct Winner {
    title: String,
    votes: i64,
    tags: Vec<String>,
    /// Beginning of its load: it knows nothing newer.
    #[serde(skip)]
    as_of: Instant,
}

#[derive(FromQueryResult)]
struct Counted {
    id: i64,
    title: String,
    votes: i64,
}

impl Winner {
    /// Counts all votes, and asks the tag service, 50 ms away, for the tags of the first.
    pub async fn load(db: &Db, upstream: &Upstream) -> Result<Self, Error> {
        LOADS.add(1);
        let as_of = Instant::now();
        let query = Statement::from_string(db.get_database_backend(), MOST_VOTES);
        let counted = Counted::find_by_statement(query).one(db).await?;
        let Counted { id, title, votes } =
            counted.ok_or_else(|| Error::NotFound("nobody has voted yet".to_owned()))?;
        let tags = upstream.tags_of(id).await?;
        Ok(Self { title, votes, tags, as_of })
    }

    /// True if it was loaded before that moment.
    pub fn is_before(&self, moment: Instant) -> bool {
        self.as_of < moment
    }
}
