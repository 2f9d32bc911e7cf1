//! Slow: finds a book by its title, whatever its case, in a table without a fitting index.

use axum::{Json, extract::State};
use sea_orm::{ConnectionTrait, FromQueryResult, Statement};

use super::{Book, Wanted};
use product::{api::state::AppState, error::Error};

const BY_TITLE: &str = "SELECT id, title, author FROM missing_index_slow \
    WHERE lower(title) = lower($1) ORDER BY id";

pub async fn handler(
    State(AppState { db, .. }): State<AppState>,
    Wanted { title }: Wanted,
) -> Result<Json<Vec<Book>>, Error> {
    let query = Statement::from_sql_and_values(db.get_database_backend(), BY_TITLE, [title.into()]);
    // BOTTLENECK: no index has lower(title), so every look-up visits all 100,000 rows.
    Ok(Json(Book::find_by_statement(query).all(&db).await?))
}
