//! Solutions of join-storm. What a learner finds in the lab's folder is private to it, so they have
//! statements of their own.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header::AUTHORIZATION},
    routing::post,
};
use database::join_storm::LAB;
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
use workshop::{Lab, password, session::Session};

use crate::grade::{
    Constant, assert_refused, assert_refused_by_one, grade, with_yours, wrong_as_yours,
};

struct JoinIn {
    room: String,
    guest: String,
    password: String,
    nickname: String,
}

impl Input for JoinIn {
    fn read(fields: &mut Fields) -> Self {
        Self {
            room: fields.text("room", 1..=50),
            guest: fields.text("guest", 1..=50),
            password: fields.text("password", 1..=72),
            nickname: fields.text("nickname", 1..=50),
        }
    }
}

#[derive(FromQueryResult)]
struct Room {
    title: String,
    topic: String,
    host: String,
    is_banned: bool,
}

#[derive(Serialize)]
struct JoinOut {
    room: String,
    topic: String,
    host: String,
}

type Joined = Result<(StatusCode, Json<JoinOut>), Error>;

fn statement(db: &impl ConnectionTrait, sql: &str, values: [&str; 2]) -> Statement {
    let values = values.map(sea_orm::Value::from);
    Statement::from_sql_and_values(db.get_database_backend(), sql, values)
}

/// The room, if its rules let the guest in: as far as the requests of this lab can tell.
async fn room(db: &impl ConnectionTrait, join: &JoinIn) -> Result<Room, Error> {
    let sql = "SELECT title, topic, host, banned_nickname = $2 AS is_banned \
        FROM join_storm_rooms WHERE name = $1 AND is_open";
    let query = statement(db, sql, [&join.room, &join.nickname]);
    let room = Room::find_by_statement(query).one(db).await?;
    let room = room.ok_or_else(|| Error::NotFound("no such room".to_owned()))?;
    if room.is_banned { Err(Error::Forbidden("this nickname is banned")) } else { Ok(room) }
}

async fn enter(db: &impl ConnectionTrait, user_id: i64, join: &JoinIn) -> Result<(), Error> {
    let sql = format!(
        "INSERT INTO join_storm_guests (room, user_id, nickname) VALUES ($1, {user_id}, $2) \
         ON CONFLICT (room, user_id) DO UPDATE SET nickname = excluded.nickname"
    );
    db.execute_raw(statement(db, &sql, [&join.room, &join.nickname])).await?;
    Ok(())
}

fn joined(Room { title, topic, host, .. }: Room) -> Joined {
    Ok((StatusCode::CREATED, Json(JoinOut { room: title, topic, host })))
}

async fn join_as(db: &Db, user_id: i64, join: &JoinIn) -> Joined {
    let room = room(db, join).await?;
    enter(db, user_id, join).await?;
    joined(room)
}

async fn guest_by_name(db: &Db, name: &str) -> Result<i64, Error> {
    let guest = users::Entity::find().filter(users::Column::Username.eq(name)).one(db).await?;
    Ok(guest.ok_or(Error::Unauthorized("nobody has this name"))?.id)
}

#[test]
fn a_session_that_may_be_revoked_is_right() {
    async fn yours(
        State(AppState { db, .. }): State<AppState>,
        guest: CurrentUser,
        Body(join): Body<JoinIn>,
    ) -> Joined {
        join_as(&db, guest.id, &join).await
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, post(yours)), ..LAB };
    assert_eq!(grade(lab), Vec::<String>::new());
}

#[test]
fn read_and_insert_in_one_transaction_are_right() {
    async fn yours(
        State(AppState { db, .. }): State<AppState>,
        Session { user_id }: Session,
        Body(join): Body<JoinIn>,
    ) -> Joined {
        let txn = db.begin().await?;
        let room = room(&txn, &join).await?;
        enter(&txn, user_id, &join).await?;
        txn.commit().await?;
        joined(room)
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, post(yours)), ..LAB };
    assert_eq!(grade(lab), Vec::<String>::new());
}

#[test]
fn a_copy_of_slow_is_refused_by_its_numbers_and_its_name() {
    let failures = grade(Lab { ..LAB });
    assert_refused(&failures, "hashes: 1 for each request, at most 0 (evidence of fast)");
    assert_refused(&failures, "queries: 11 for each request, at most 4 (gate queries: max<=4)");
    assert_refused(&failures, "these look like the numbers of slow");
}

#[test]
fn each_half_of_the_fix_is_refused_by_the_other_number() {
    let lab = Lab { handlers: |state| wrong_as_yours(&LAB, state, "session-alone"), ..LAB };
    assert_refused_by_one(lab, "queries: 10 for each request, at most 4");
    let lab = Lab { handlers: |state| wrong_as_yours(&LAB, state, "one-read-alone"), ..LAB };
    assert_refused_by_one(lab, "hashes: 1 for each request, at most 0");
}

#[test]
fn a_join_for_whoever_says_the_name_is_refused() {
    async fn yours(
        State(AppState { db, .. }): State<AppState>,
        Body(join): Body<JoinIn>,
    ) -> Joined {
        let user_id = guest_by_name(&db, &join.guest).await?;
        join_as(&db, user_id, &join).await
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, post(yours)), ..LAB };
    let words = "yours answers a request without a session, and with a wrong password with status \
        201, not 401";
    assert_refused(&grade(lab), words);
}

#[test]
fn a_session_whose_signature_nobody_checks_is_refused() {
    async fn yours(
        State(AppState { db, .. }): State<AppState>,
        headers: HeaderMap,
        Body(join): Body<JoinIn>,
    ) -> Joined {
        headers.get(AUTHORIZATION).ok_or(Error::Unauthorized("a session is needed"))?;
        let user_id = guest_by_name(&db, &join.guest).await?;
        join_as(&db, user_id, &join).await
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, post(yours)), ..LAB };
    assert_refused(&grade(lab), "with a forged session, and a wrong password with status 201");
}

#[test]
fn a_room_without_its_rules_is_refused() {
    async fn yours(
        State(AppState { db, .. }): State<AppState>,
        Session { user_id }: Session,
        Body(join): Body<JoinIn>,
    ) -> Joined {
        let anybody = JoinIn { nickname: "anybody".to_owned(), ..join };
        join_as(&db, user_id, &anybody).await
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, post(yours)), ..LAB };
    assert_refused(&grade(lab), "with a nickname that is banned with status 201, not 403");
}

#[test]
fn a_hash_in_a_task_of_its_own_is_refused() {
    async fn yours(
        State(AppState { db, .. }): State<AppState>,
        Body(join): Body<JoinIn>,
    ) -> Joined {
        let checked = tokio::spawn(async move {
            let guest = password::account(&db, &join.guest, &join.password).await?;
            join_as(&db, guest.id, &join).await
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
        Body(join): Body<JoinIn>,
    ) -> Result<(StatusCode, Json<Value>), Error> {
        if let Some(answer) = ANSWER.get() {
            return Ok((StatusCode::CREATED, Json(answer.clone())));
        }
        let (status, Json(room)) = join_as(&db, user_id, &join).await?;
        let answer = serde_json::to_value(room).map_err(Error::internal)?;
        Ok((status, Json(ANSWER.get_or_init(|| answer).clone())))
    }
    let lab = Lab { handlers: |state| with_yours(&LAB, state, post(yours)), ..LAB };
    assert_refused(&grade(lab), "after a change of the rows");
}
