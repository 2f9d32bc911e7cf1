//! What only SQLite has to be told.

use chokepoint::server::open_database;
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::backends::BackEnds;

#[tokio::test]
async fn a_commit_is_on_disk_before_it_is_acknowledged() {
    let back_ends = BackEnds::new();
    let db = open_database(&back_ends.database(1)).await.unwrap();
    // 2 is FULL. A test that kills the process can't tell it from OFF.
    for (pragma, expected) in [("synchronous", 2), ("foreign_keys", 1)] {
        let ask = Statement::from_string(DbBackend::Sqlite, format!("PRAGMA {pragma}"));
        let row = db.query_one_raw(ask).await.unwrap().unwrap();
        assert_eq!(row.try_get_by_index::<i32>(0).unwrap(), expected, "{pragma}");
    }
}
