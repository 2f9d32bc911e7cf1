//! What PostgreSQL is asked about its work, for a lab that counts it: rows that a query visits, by the
//! plan that `EXPLAIN ANALYZE` writes when it runs the query once more, and whether its connection
//! has a statement prepared, by one more round trip before it.

use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, QueryResult, Statement,
    sqlx::{self, PgConnection, Row},
};
use serde_json::Value;

use super::{ROWS_VISITED, STATEMENTS_PREPARED};
use crate::db::instrument::unbooked;
use observe::request_cost;

/// Whether a connection has this text prepared. Asked without preparing it: that would be listed, and
/// take a place in the driver's cache.
const IS_PREPARED: &str = "SELECT EXISTS (SELECT FROM pg_prepared_statements WHERE statement = $1)";

/// Counts the statement that the connection is about to prepare, for a request that has the counter.
pub async fn count_preparation(connection: &mut PgConnection, sql: &str) {
    if counts_preparations() {
        let asked = sqlx::query_scalar(IS_PREPARED).bind(sql).persistent(false);
        count_unless_prepared(asked.fetch_one(connection).await.map_err(|e| e.to_string()));
    }
}

/// The same on the connection of a transaction, whose driver prepares the question once.
pub async fn count_preparation_in(transaction: &DatabaseTransaction, statement: &Statement) {
    if transaction.get_database_backend() == DbBackend::Postgres && counts_preparations() {
        let values = [statement.sql.as_str().into()];
        let asked = Statement::from_sql_and_values(DbBackend::Postgres, IS_PREPARED, values);
        let answer = transaction.query_one_raw(asked).await;
        let answer = answer.and_then(|row| row.map_or(Ok(false), |row| row.try_get_by_index(0)));
        count_unless_prepared(answer.map_err(|e| e.to_string()));
    }
}

fn counts_preparations() -> bool {
    let mut counts = false;
    request_cost::with(|request| counts = STATEMENTS_PREPARED.is_of(request));
    counts
}

fn count_unless_prepared(is_prepared: Result<bool, String>) {
    match is_prepared {
        Ok(is_prepared) => STATEMENTS_PREPARED.add(u64::from(!is_prepared)),
        Err(error) => tracing::warn!(error, "a preparation could not be counted"),
    }
}

/// The statement that explains a query of a request that has the counter. Only a plain query: what
/// writes would write twice.
pub fn explain(statement: &Statement) -> Option<Statement> {
    if statement.db_backend != DbBackend::Postgres {
        return None;
    }
    let mut has_counter = false;
    request_cost::with(|request| has_counter = ROWS_VISITED.is_of(request));
    let first = statement.sql.split_ascii_whitespace().next().unwrap_or_default();
    (has_counter && first.eq_ignore_ascii_case("SELECT")).then(|| Statement {
        sql: format!("EXPLAIN (ANALYZE, FORMAT JSON) {}", statement.sql),
        ..statement.clone()
    })
}

/// Awaits the query, and then its explanation, whose rows count as the request's.
pub async fn after<T>(
    query: impl Future<Output = Result<T, DbErr>>,
    explained: Option<impl Future<Output = Result<Option<QueryResult>, DbErr>>>,
) -> Result<T, DbErr> {
    let result = query.await;
    if let Some(explained) = explained.filter(|_| result.is_ok()) {
        match unbooked(explained).await.map(|row| row.as_ref().and_then(rows)) {
            Ok(Some(rows)) => ROWS_VISITED.add(rows),
            Ok(None) => tracing::warn!("a query was explained without a plan in JSON"),
            Err(error) => tracing::warn!(%error, "a query could not be explained"),
        }
    }
    result
}

fn rows(row: &QueryResult) -> Option<u64> {
    // The column is of type json, whose text needs no other decoder.
    let text: String = row.try_as_pg_row()?.try_get_unchecked(0).ok()?;
    let plan: Value = serde_json::from_str(&text).ok()?;
    Some(visited(plan.pointer("/0/Plan")?).round() as u64)
}

/// Rows that a node of a plan, and the nodes below it, read from tables. Its numbers are averages
/// of its loops.
fn visited(node: &Value) -> f64 {
    let number = |key: &str| node[key].as_f64().unwrap_or(0.0);
    let removed = ["Rows Removed by Filter", "Rows Removed by Index Recheck"];
    let own = match node["Relation Name"].is_string() {
        true => {
            (number("Actual Rows") + removed.map(number).iter().sum::<f64>())
                * number("Actual Loops")
        }
        false => 0.0,
    };
    own + node["Plans"].as_array().into_iter().flatten().map(visited).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_a_query_of_a_request_that_counts_is_explained() {
        let query = Statement::from_string(DbBackend::Postgres, "SELECT 1");
        assert_eq!(explain(&query), None, "no request runs here");
    }

    #[test]
    fn a_plan_says_how_many_rows_its_tables_gave() {
        let scan = json!({
            "Node Type": "Sort", "Actual Rows": 3, "Actual Loops": 1,
            "Plans": [{
                "Node Type": "Seq Scan", "Relation Name": "books",
                "Actual Rows": 3, "Actual Loops": 1, "Rows Removed by Filter": 99_997,
            }],
        });
        assert_eq!(visited(&scan), 100_000.0);
        let in_three = json!({
            "Node Type": "Gather", "Actual Rows": 3, "Actual Loops": 1,
            "Plans": [{
                "Node Type": "Seq Scan", "Relation Name": "books",
                "Actual Rows": 1, "Actual Loops": 3, "Rows Removed by Filter": 33_332,
            }],
        });
        assert_eq!(visited(&in_three), 99_999.0);
        let by_index = json!({
            "Node Type": "Bitmap Heap Scan", "Relation Name": "books",
            "Actual Rows": 3, "Actual Loops": 1, "Rows Removed by Index Recheck": 0,
            "Plans": [{
                "Node Type": "Bitmap Index Scan", "Index Name": "books_lower_title",
                "Actual Rows": 3, "Actual Loops": 1,
            }],
        });
        assert_eq!(visited(&by_index), 3.0);
    }
}
