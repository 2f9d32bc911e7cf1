//! Solutions of pool-exhaustion. What a learner finds in the lab's folder is private to it, so each
//! has a statement of its own.

use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderMap, header::AUTHORIZATION},
    routing::post,
};
use database::pool_exhaustion::LAB;
use product::{
    api::{auth::CurrentUser, state::AppState},
    db::Db,
    entity::users,
    error::Error,
    input::{Body, Fields, Input},
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, Statement};
use serde::Serialize;
use serde_json::Value;
use workshop::{Lab, password, session::Session, upstream::Upstream};

use crate::grade::{
    Constant, assert_refused, assert_refused_by_one, grade, with_yours, wrong_as_yours,
};

struct SaveIn {
    player: String,
    password: String,
    slot: i64,
    level: i64,
    state: String,
}

impl Input for SaveIn {
    fn read(fields: &mut Fields) -> Self {
        let mut number = |field| i64::try_from(fields.number(field, 1..=1_000)).unwrap();
        Self {
            slot: number("slot"),
            level: number("level"),
            player: fields.text("player", 1..=50),
            password: fields.text("password", 1..=72),
            state: fields.text("state", 1..=10_000),
        }
    }
}

#[derive(Serialize, FromQueryResult)]
struct SaveOut {
    slot: i64,
    level: i64,
    best: i64,
}

type Answer = Result<Json<SaveOut>, Error>;

async fn store(
    db: &impl ConnectionTrait,
    player_id: i64,
    SaveIn { slot, level, state, .. }: SaveIn,
) -> Answer {
    let sql = "INSERT INTO pool_exhaustion_saves AS kept (player_id, slot, level, best, state) \
        VALUES ($1, $2, $3, $3, $4) ON CONFLICT (player_id, slot) DO UPDATE \
        SET level = excluded.level, state = excluded.state, \
        best = CASE WHEN excluded.best > kept.best THEN excluded.best ELSE kept.best END \
        RETURNING slot, level, best";
    let values = [player_id.into(), slot.into(), level.into(), state.into()];
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    let kept = SaveOut::find_by_statement(statement).one(db).await?;
    kept.map(Json).ok_or_else(|| Error::internal("no row"))
}

async fn player_by_name(db: &Db, name: &str) -> Result<i64, Error> {
    let player = users::Entity::find().filter(users::Column::Username.eq(name)).one(db).await?;
    Ok(player.ok_or(Error::Unauthorized("nobody has this name"))?.id)
}

#[test]
fn the_pool_takes_a_connection_for_the_statement_alone() {
    async fn yours(
        State(AppState { db, .. }): State<AppState>,
        Extension(upstream): Extension<Upstream>,
        Session { user_id }: Session,
        Body(save): Body<SaveIn>,
    ) -> Answer {
        upstream.check().await?;
        store(&db, user_id, save).await
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, post(yours)), ..LAB };
    assert_eq!(grade(lab), Vec::<String>::new());
}

#[test]
fn a_session_that_may_be_revoked_and_a_transaction_at_the_end_are_right() {
    async fn yours(
        State(AppState { db, .. }): State<AppState>,
        Extension(upstream): Extension<Upstream>,
        player: CurrentUser,
        Body(save): Body<SaveIn>,
    ) -> Answer {
        upstream.check().await?;
        let txn = db.begin().await?;
        let kept = store(&txn, player.id, save).await?;
        txn.commit().await?;
        Ok(kept)
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, post(yours)), ..LAB };
    assert_eq!(grade(lab), Vec::<String>::new());
}

#[test]
fn a_copy_of_slow_is_refused_by_its_numbers_and_its_name() {
    let failures = grade(Lab { ..LAB });
    assert_refused(&failures, "hashes: 1 for each request, at most 0 (evidence of fast)");
    assert_refused(&failures, "held_work: 2 for each request, at most 0 (evidence of fast)");
    assert_refused(&failures, "these look like the numbers of slow");
}

#[test]
fn each_half_of_the_fix_is_refused_by_the_other_number() {
    let lab = Lab { handlers: |state| wrong_as_yours(&LAB, state, "session-alone"), ..LAB };
    assert_refused_by_one(lab, "held_work: 1 for each request, at most 0");
    let lab = Lab { handlers: |state| wrong_as_yours(&LAB, state, "late-connection-alone"), ..LAB };
    assert_refused_by_one(lab, "hashes: 1 for each request, at most 0");
}

#[test]
fn a_save_for_whoever_says_the_name_is_refused() {
    async fn yours(
        State(AppState { db, .. }): State<AppState>,
        Extension(upstream): Extension<Upstream>,
        Body(save): Body<SaveIn>,
    ) -> Answer {
        upstream.check().await?;
        let player_id = player_by_name(&db, &save.player).await?;
        store(&db, player_id, save).await
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, post(yours)), ..LAB };
    let words = "yours answers a request without a session, and with a wrong password with status \
        200, not 401";
    assert_refused(&grade(lab), words);
}

#[test]
fn a_session_whose_signature_nobody_checks_is_refused() {
    async fn yours(
        State(AppState { db, .. }): State<AppState>,
        Extension(upstream): Extension<Upstream>,
        headers: HeaderMap,
        Body(save): Body<SaveIn>,
    ) -> Answer {
        headers.get(AUTHORIZATION).ok_or(Error::Unauthorized("a session is needed"))?;
        upstream.check().await?;
        let player_id = player_by_name(&db, &save.player).await?;
        store(&db, player_id, save).await
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, post(yours)), ..LAB };
    let failures = grade(lab);
    assert_refused(&failures, "with a forged session, and a wrong password with status 200");
    assert!(!failures.iter().any(|f| f.contains("without a session")), "{failures:#?}");
}

#[test]
fn a_hash_in_a_task_of_its_own_is_refused() {
    async fn yours(
        State(AppState { db, .. }): State<AppState>,
        Extension(upstream): Extension<Upstream>,
        Body(save): Body<SaveIn>,
    ) -> Answer {
        let checked = tokio::spawn(async move {
            let player = password::account(&db, &save.player, &save.password).await?;
            upstream.check().await?;
            store(&db, player.id, save).await
        });
        checked.await.map_err(Error::internal)?
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, post(yours)), ..LAB };
    let words = "hashes: 1 for each request, at most 0 (evidence of fast); the request's own \
        record has 0";
    assert_refused(&grade(lab), words);
}

#[test]
fn a_constant_answer_is_refused() {
    static ANSWER: Constant = Constant::new();
    async fn yours(
        State(AppState { db, .. }): State<AppState>,
        Session { user_id }: Session,
        Body(save): Body<SaveIn>,
    ) -> Result<Json<Value>, Error> {
        if let Some(answer) = ANSWER.get() {
            return Ok(Json(answer.clone()));
        }
        let Json(kept) = store(&db, user_id, save).await?;
        let answer = serde_json::to_value(kept).map_err(Error::internal)?;
        Ok(Json(ANSWER.get_or_init(|| answer).clone()))
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, post(yours)), ..LAB };
    assert_refused(&grade(lab), "after a change of the rows");
}
