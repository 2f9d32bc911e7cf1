//! Limits lists in bytes as well as in rows, because a row may be a thousand times as long as most.

use std::io::{self, Write};

use sea_orm::{ConnectionTrait, DbErr, EntityTrait, Iden, Statement, Value};
use serde::Serialize;

use crate::db::Db;

/// Maximum bytes of JSON of an answer's rows, unless a single row has more: ten times as much as
/// rows of usual length have. With the JSON around them it is 1 MiB.
const MOST_BYTES: usize = 1024 * 1024 - 1024;

/// Truncates the rows to `MOST_BYTES` of JSON, but keeps at least one. True if there are more.
pub fn cut<T: Serialize>(rows: &mut Vec<T>) -> bool {
    let mut bytes = 0;
    let fits = rows.iter().take_while(|row| {
        bytes += json_bytes(row);
        bytes <= MOST_BYTES
    });
    let fits = fits.count().max(1);
    rows.truncate(fits);
    // A text is never longer than its JSON, so this is also true if `newest` left rows out.
    bytes > MOST_BYTES
}

/// Counts the bytes written to it.
struct Count(usize);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn json_bytes(row: &impl Serialize) -> usize {
    let mut count = Count(0);
    // A row that can't be serialized fails when the answer is made.
    let _ = serde_json::to_writer(&mut count, row);
    count.0
}

/// Newest rows of an owner, before an id if one is given. It reads only the rows whose `texts` fit
/// into one answer, however many are requested. Both databases know the length of a text without
/// reading it.
pub async fn newest<E: EntityTrait>(
    db: &Db,
    (owned_by, owner): (E::Column, Value),
    texts: &[E::Column],
    before: Option<i64>,
    limit: u64,
) -> Result<Vec<E::Model>, DbErr> {
    let lengths = texts.iter().map(|text| {
        let text = text.to_string();
        format!("COALESCE(OCTET_LENGTH({text}), 0)")
    });
    let (table, owned_by) = (E::default().table_name().to_owned(), owned_by.to_string());
    let lengths = lengths.collect::<Vec<_>>().join(" + ");
    // CROSS JOIN makes SQLite look each row up by its id, in this order.
    let sql = format!(
        "SELECT kept.* FROM (SELECT id, SUM(bytes) OVER (ORDER BY id DESC) - bytes AS ahead FROM \
         (SELECT id, {lengths} AS bytes FROM {table} WHERE {owned_by} = $1 AND id < $2 \
         ORDER BY id DESC LIMIT $3) AS newest) AS places CROSS JOIN {table} AS kept \
         WHERE kept.id = places.id AND places.ahead < {MOST_BYTES} ORDER BY kept.id DESC"
    );
    let before = before.unwrap_or(i64::MAX);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let values = [owner, before.into(), limit.into()];
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    E::find().from_raw_sql(statement).all(db).await
}
