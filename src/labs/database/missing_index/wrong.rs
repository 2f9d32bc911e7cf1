//! The fix that people try first: an index on the column, which the condition does not ask for.

use axum::{Json, extract::State};
use sea_orm::{ConnectionTrait, FromQueryResult, Statement};

use super::{Book, Wanted};
use product::{api::state::AppState, error::Error};

const BY_TITLE: &str = "SELECT id, title, author FROM missing_index_plain \
    WHERE lower(title) = lower($1) ORDER BY id";

/// Asks a table with an index on title: sorted by title, it can't be searched by lower(title).
pub async fn plain_index(
    State(AppState { db, .. }): State<AppState>,
    Wanted { title }: Wanted,
) -> Result<Json<Vec<Book>>, Error> {
    let query = Statement::from_sql_and_values(db.get_database_backend(), BY_TITLE, [title.into()]);
    Ok(Json(Book::find_by_statement(query).all(&db).await?))
}
