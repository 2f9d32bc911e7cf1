//! The fixes that people try first: no parameters, or no waiting between the queries. Each list is
//! still a statement of its own.

use axum::{Json, extract::State};
use futures_util::future::try_join_all;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter, Statement,
};

use super::{
    Digest, Team,
    articles::{Column, Entity, Model},
    shelves,
};
use product::{api::state::AppState, error::Error};

type Answer = Result<Json<Vec<Digest>>, Error>;

/// Writes the ids into the text, so that even two lists of one length are two statements.
pub async fn literals(State(AppState { db, .. }): State<AppState>, Team(team): Team) -> Answer {
    const NEWS: &str = "SELECT id, title, is_news FROM statement_churn_articles WHERE is_news";
    let mut digests = Vec::new();
    for kept in shelves::of(&db, team).await? {
        let kept = kept.iter().map(i32::to_string).collect::<Vec<_>>().join(", ");
        let sql = format!("{NEWS} AND id IN ({kept}) ORDER BY id");
        let query = Statement::from_string(db.get_database_backend(), sql);
        digests.push(Digest { news: Model::find_by_statement(query).all(&db).await? });
    }
    Ok(Json(digests))
}

/// Sends the queries of the team together: they wait less, and are prepared on more connections.
pub async fn all_at_once(State(AppState { db, .. }): State<AppState>, Team(team): Team) -> Answer {
    let digest = async |kept: Vec<i32>| {
        let news = Entity::find().filter(Column::IsNews.eq(true)).filter(Column::Id.is_in(kept));
        let mut news = news.all(&db).await?;
        news.sort_unstable_by_key(|article| article.id);
        Ok::<_, DbErr>(Digest { news })
    };
    Ok(Json(try_join_all(shelves::of(&db, team).await?.into_iter().map(digest)).await?))
}
