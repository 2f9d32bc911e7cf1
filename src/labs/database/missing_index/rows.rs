//! The rows of the tables: 100,000 books, computed from their numbers. Three have the title that is
//! asked for, each in another case.

use futures_util::future::BoxFuture;
use sea_orm::{ConnectionTrait, DbBackend, DbErr};

use product::db::{Db, Transaction};
use workshop::lab::DataError;

/// Tables with the same rows; the first is filled, and copied to the others.
const TABLES: [&str; 4] =
    ["missing_index_slow", "missing_index_fast", "missing_index_yours", "missing_index_plain"];

const FILL: &str = "
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 100000)
    INSERT INTO missing_index_slow (id, title, author)
    SELECT n,
        CASE n
            WHEN 20011 THEN 'Chokepoint' WHEN 50021 THEN 'CHOKEPOINT' WHEN 80039 THEN 'chokepoint'
            ELSE
                CASE n % 3 WHEN 0 THEN 'A History' WHEN 1 THEN 'The Art' ELSE 'Elements' END
                || ' of ' ||
                CASE n % 5
                    WHEN 0 THEN 'Queues' WHEN 1 THEN 'Caches' WHEN 2 THEN 'Locks'
                    WHEN 3 THEN 'Clocks' ELSE 'Logs'
                END
                || ', Volume ' || CAST(n AS TEXT)
        END,
        'Author ' || CAST((n % 997) AS TEXT)
    FROM numbers";

/// Books that have the title after `FILL`, and below them the first of those that have not.
const WITH_TITLE: [i32; 3] = [20_011, 50_021, 80_039];
const WITHOUT_TITLE: std::ops::Range<i32> = 1..20_011;

/// Fills all tables anew, in one transaction: whoever reads meanwhile finds the rows of before.
pub async fn fill(db: &Db) -> Result<(), DataError> {
    let txn = db.begin().await?;
    let is_postgres = db.get_database_backend() == DbBackend::Postgres;
    if is_postgres {
        // Another instance that fills them waits here, or both would insert the same ids.
        txn.execute_unprepared("LOCK TABLE missing_index_slow IN EXCLUSIVE MODE").await?;
    }
    for table in TABLES {
        txn.execute_unprepared(&format!("DELETE FROM {table}")).await?;
    }
    txn.execute_unprepared(FILL).await?;
    let [first, others @ ..] = TABLES;
    for table in others {
        let columns = "id, title, author";
        let copy = format!("INSERT INTO {table} ({columns}) SELECT {columns} FROM {first}");
        txn.execute_unprepared(&copy).await?;
    }
    if is_postgres {
        // Its planner goes by statistics, which it would gather some time later.
        for table in TABLES {
            txn.execute_unprepared(&format!("ANALYZE {table}")).await?;
        }
    }
    Ok(txn.commit().await?)
}

/// Gives the title to a book that had another, takes it from one that had it, and changes the author
/// of a third.
pub fn change(txn: &Transaction) -> BoxFuture<'_, Result<(), DbErr>> {
    Box::pin(async move {
        let [mut lost, mut kept, _] = WITH_TITLE;
        if fastrand::bool() {
            std::mem::swap(&mut lost, &mut kept);
        }
        let (found, author) = (fastrand::i32(WITHOUT_TITLE), fastrand::u32(..));
        for table in TABLES {
            for (column, value, id) in [
                ("title", "ChokePoint".to_owned(), found),
                ("title", format!("Renamed {author:08x}"), lost),
                ("author", format!("Author {author:08x}"), kept),
            ] {
                let sql = format!("UPDATE {table} SET {column} = '{value}' WHERE id = {id}");
                txn.execute_unprepared(&sql).await?;
            }
        }
        Ok(())
    })
}
