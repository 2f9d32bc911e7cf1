//! Yours: starts as slow does. Edit and save it; `chokepoint watch missing-index` grades it.
#![allow(clippy::all, reason = "a lint would name the bottleneck")]

use axum::{Json, extract::State};
use sea_orm::{ConnectionTrait, FromQueryResult, Statement};

use super::{Book, Wanted};
use product::{api::state::AppState, error::Error};

const BY_TITLE: &str = "SELECT id, title, author FROM missing_index_yours \
    WHERE lower(title) = lower($1) ORDER BY id";

pub async fn handler(
    State(AppState { db, .. }): State<AppState>,
    Wanted { title }: Wanted,
) -> Result<Json<Vec<Book>>, Error> {
    let query = Statement::from_sql_and_values(db.get_database_backend(), BY_TITLE, [title.into()]);
    Ok(Json(Book::find_by_statement(query).all(&db).await?))
}
