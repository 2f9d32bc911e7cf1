//! The rows that a load counts: 40,000 votes for the demo todos.

use futures_util::future::BoxFuture;
use sea_orm::{ConnectionTrait, DbBackend, DbErr};

use product::{
    db::{Db, Transaction},
    entity::todos,
};
use workshop::lab::DataError;

/// Votes that a change adds to one todo, at least: more than any of them has after `fill`.
const NEW_VOTES: u32 = 1_000;

/// Fills the table anew, in one transaction: whoever reads meanwhile counts the votes of before.
pub async fn fill(db: &Db) -> Result<(), DataError> {
    let txn = db.begin().await?;
    if db.get_database_backend() == DbBackend::Postgres {
        // Another instance that fills it waits here, or both would insert the same votes.
        txn.execute_unprepared("LOCK TABLE cache_stampede_votes IN EXCLUSIVE MODE").await?;
    }
    txn.execute_unprepared("DELETE FROM cache_stampede_votes").await?;
    let fill = format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 500)
        INSERT INTO cache_stampede_votes (todo_id, voter)
        SELECT todos.id, numbers.n FROM todos CROSS JOIN numbers
        WHERE todos.user_id = {} AND numbers.n <= 300 + todos.id * 37 % 200",
        todos::DEMO_OWNER_ID
    );
    txn.execute_unprepared(&fill).await?;
    Ok(txn.commit().await?)
}

/// Lets new voters vote for a todo, which is the winner then.
pub fn change(txn: &Transaction) -> BoxFuture<'_, Result<(), DbErr>> {
    Box::pin(async move {
        let (first, votes) = (fastrand::u32(NEW_VOTES..), NEW_VOTES + fastrand::u32(..NEW_VOTES));
        let vote = format!(
            "WITH RECURSIVE numbers (n) AS
                (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {votes})
            INSERT INTO cache_stampede_votes (todo_id, voter)
            SELECT lucky.todo_id, {first} + numbers.n
            FROM (SELECT todo_id FROM cache_stampede_votes ORDER BY RANDOM() LIMIT 1) AS lucky
            CROSS JOIN numbers"
        );
        txn.execute_unprepared(&vote).await.map(drop)
    })
}
