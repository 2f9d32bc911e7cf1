//! The end of sessions: by a reused refresh token or by logging out, on every instance.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use product::entity::{refresh_tokens, revoked_tokens, users};
use reqwest::{Method, Response, StatusCode};
use sea_orm::{ActiveValue::Set, EntityTrait, PaginatorTrait};
use serde_json::json;

use crate::{
    auth::{log_out, post, refresh},
    support::{Session, TestApp, header, problem},
};

/// Two instances must share the signing secret.
const WITH_SECRET: [&str; 2] = ["--jwt-secret", "a secret that only the tests know"];

/// True if the token is refused. If it is valid, this ends its session.
async fn is_refused(app: &TestApp, session: &Session) -> bool {
    match log_out(app, "v2", session).await.status() {
        StatusCode::UNAUTHORIZED => true,
        StatusCode::NO_CONTENT => false,
        other => panic!("{other}"),
    }
}

async fn refreshed(app: &TestApp, session: &Session) -> Session {
    let answer = refresh(app, session).await;
    assert_eq!(answer.status(), 200);
    answer.json().await.unwrap()
}

async fn assert_family_is_dead(app: &TestApp, family: &[Session]) {
    for session in family {
        assert_eq!(refresh(app, session).await.status(), 401);
        assert!(is_refused(app, session).await);
    }
}

/// Moves the use of every refresh token back by this time.
async fn let_pass(app: &TestApp, time: TimeDelta) {
    let db = app.db().await;
    for row in refresh_tokens::Entity::find().all(&db).await.unwrap() {
        let used_at = row.used_at.map(|used_at| used_at - time);
        let row = refresh_tokens::ActiveModel { used_at: Set(used_at), ..row.into() };
        refresh_tokens::Entity::update(row).exec(&db).await.unwrap();
    }
}

/// Checks that the answer refuses a token which another window has just used.
async fn assert_just_used(answer: Response) {
    assert_eq!(answer.status(), 401);
    let challenge = "Bearer error=\"invalid_token\", error_description=\"just used\"";
    assert_eq!(header(&answer, "www-authenticate"), challenge);
    assert!(problem(answer).await["detail"].to_string().contains("used a moment ago"));
}

#[test]
fn a_refresh_token_used_again_later_ends_all_that_followed_from_the_login() {
    let app = TestApp::start();
    app.run(async {
        let first = app.sign_up("ada").await;
        let other = refreshed(&app, &app.sign_up("grace").await).await;
        let second = refreshed(&app, &first).await;
        let third = refreshed(&app, &second).await;
        let_pass(&app, TimeDelta::seconds(11)).await;
        let refused = refresh(&app, &first).await;
        assert_eq!(header(&refused, "www-authenticate"), "Bearer realm=\"chokepoint\"");
        assert_eq!(refused.status(), 401);
        assert_family_is_dead(&app, &[first, second, third]).await;
        assert_eq!(refresh(&app, &other).await.status(), 200, "another family died too");
    });
}

#[test]
fn a_refresh_token_used_again_at_once_is_refused_and_the_session_lives_on() {
    let app = TestApp::start();
    app.run(async {
        let first = app.sign_up("ada").await;
        let second = refreshed(&app, &first).await;
        for version in ["v1", "v2"] {
            let body = json!({ "refresh_token": first.refresh_token });
            assert_just_used(post(&app, &format!("/api/{version}/auth/refresh"), &body).await)
                .await;
        }
        let_pass(&app, TimeDelta::seconds(5)).await;
        assert_just_used(refresh(&app, &first).await).await;
        // The winner's tokens are as good as before, and so is what follows from them.
        assert_eq!(
            app.as_user(&second, Method::GET, "/api/v2/todos").send().await.unwrap().status(),
            200
        );
        let third = refreshed(&app, &second).await;
        assert_just_used(refresh(&app, &second).await).await;
        assert!(!is_refused(&app, &third).await);
    });
}

#[test]
fn a_used_refresh_token_is_unknown_once_its_session_has_ended() {
    let app = TestApp::start();
    app.run(async {
        let first = app.sign_up("ada").await;
        let second = refreshed(&app, &first).await;
        assert_eq!(log_out(&app, "v1", &second).await.status(), 204);
        let refused = refresh(&app, &first).await;
        assert_eq!(header(&refused, "www-authenticate"), "Bearer realm=\"chokepoint\"");
        assert_family_is_dead(&app, &[first, second]).await;
    });
}

#[test]
fn of_twenty_refreshes_with_one_token_at_once_one_goes_through_and_its_session_lives() {
    let app = TestApp::start();
    app.run(async {
        let session = app.sign_up("ada").await;
        let mut won = Vec::new();
        for answer in join_all((0..20).map(|_| refresh(&app, &session))).await {
            match answer.status().as_u16() {
                200 => won.push(answer.json::<Session>().await.unwrap()),
                _ => assert_just_used(answer).await,
            }
        }
        assert_eq!(won.len(), 1);
        let next = refreshed(&app, &won.remove(0)).await;
        let_pass(&app, TimeDelta::seconds(11)).await;
        assert_eq!(refresh(&app, &session).await.status(), 401);
        assert_family_is_dead(&app, &[session, next]).await;
    });
}

/// Sends ten logouts and some refreshes at once, and checks that the session is dead. Returns the
/// statuses of the logouts.
async fn end_at_once(app: &TestApp, session: Session, refreshes: usize) -> Vec<u16> {
    let version = |n| if n % 2 == 0 { "v1" } else { "v2" };
    let logouts = join_all((0..10).map(|n| log_out(app, version(n), &session)));
    let refreshes = join_all((0..refreshes).map(|_| refresh(app, &session)));
    let (left, refreshed) = tokio::join!(logouts, refreshes);
    let mut family = Vec::new();
    for answer in refreshed {
        match answer.status().as_u16() {
            200 => family.push(answer.json().await.unwrap()),
            status => assert_eq!(status, 401),
        }
    }
    assert!(family.len() <= 1, "a refresh token was good twice");
    // Last: its used refresh token could itself end the session, which must be dead before.
    family.push(session);
    assert_family_is_dead(app, &family).await;
    left.iter().map(|answer| answer.status().as_u16()).collect()
}

#[test]
fn logouts_beside_one_refresh_leave_nothing_alive() {
    let app = TestApp::start();
    app.run(async {
        for name in ["ada", "grace", "edsger"] {
            let left = end_at_once(&app, app.sign_up(name).await, 1).await;
            assert!(left.iter().all(|status| [204, 401].contains(status)), "{left:?}");
            assert!(left.contains(&204), "{left:?}");
        }
    });
}

#[test]
fn twenty_logouts_and_refreshes_at_once_leave_nothing_alive() {
    let app = TestApp::start();
    app.run(async {
        for name in ["ada", "grace", "edsger"] {
            let left = end_at_once(&app, app.sign_up(name).await, 10).await;
            assert!(left.iter().all(|status| [204, 401].contains(status)), "{left:?}");
            assert!(left.contains(&204), "{left:?}");
        }
    });
}

#[test]
fn a_restart_lets_no_revoked_token_in_and_keeps_the_others() {
    let before = TestApp::start_with(&WITH_SECRET);
    let (gone, stays) = before.run(async {
        let (gone, stays) = (before.sign_up("gone").await, before.sign_up("stays").await);
        assert!(!is_refused(&before, &gone).await);
        (gone, stays)
    });
    let after = TestApp::start_beside(&before, &WITH_SECRET);
    drop(before);
    after.run(async {
        assert_family_is_dead(&after, &[gone]).await;
        assert_eq!(refresh(&after, &stays).await.status(), 200);
        assert!(!is_refused(&after, &stays).await);
    });
}

#[test]
fn a_logout_on_one_instance_counts_on_the_other_from_its_answer_on() {
    let here = TestApp::start_with(&WITH_SECRET);
    let there = TestApp::start_beside(&here, &WITH_SECRET);
    here.run(async {
        for round in 0..5 {
            let session = here.sign_up(&format!("leaves_{round}")).await;
            let mut busy = Vec::new();
            for n in 0..5 {
                busy.push(here.sign_up(&format!("stays_{round}_{n}")).await);
            }
            // Makes the other instance copy and trust the revocations, before and during this.
            let keeps_it_busy = join_all(busy.iter().zip(0_u64..).map(async |(other, n)| {
                tokio::time::sleep(Duration::from_millis(60 * n)).await;
                assert!(!is_refused(&there, other).await);
            }));
            let leaves = async {
                tokio::time::sleep(Duration::from_millis(30)).await;
                assert!(!is_refused(&here, &session).await);
                assert!(is_refused(&there, &session).await, "in round {round}");
            };
            tokio::join!(keeps_it_busy, leaves);
        }
    });
}

#[test]
fn with_an_account_that_was_deleted_only_logging_out_is_left() {
    let app = TestApp::start();
    app.run(async {
        let session = app.sign_up("ada").await;
        let db = app.db().await;
        users::Entity::delete_by_id(session.user_id).exec(&db).await.unwrap();
        assert_eq!(refresh(&app, &session).await.status(), 401);
        assert!(!is_refused(&app, &session).await);
        assert!(is_refused(&app, &session).await);
    });
}

#[test]
fn rows_about_tokens_that_have_expired_are_removed() {
    let app = TestApp::start();
    let db = app.run(async {
        let db = app.db().await;
        let user_id = app.sign_up("ada").await.user_id;
        for (digest, start) in [("old", DateTime::<Utc>::UNIX_EPOCH), ("new", Utc::now())] {
            let (digest, expires_at) = (digest.to_owned(), start + TimeDelta::seconds(60));
            let row = revoked_tokens::Model { digest: digest.clone(), expires_at };
            let row = revoked_tokens::ActiveModel::from(row);
            revoked_tokens::Entity::insert(row).exec(&db).await.unwrap();
            let row = refresh_tokens::Model {
                family: digest.clone(),
                digest,
                user_id,
                expires_at,
                access_expires_at: expires_at,
                used_at: None,
            };
            let row = refresh_tokens::ActiveModel::from(row);
            refresh_tokens::Entity::insert(row).exec(&db).await.unwrap();
        }
        db
    });
    let _removes = TestApp::start_beside(&app, &[]);
    app.run(async {
        let revoked = async || revoked_tokens::Entity::find().all(&db).await.unwrap();
        while revoked().await.len() > 1 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(revoked().await[0].digest, "new");
        // The other one belongs to the registration.
        assert_eq!(refresh_tokens::Entity::find().count(&db).await.unwrap(), 2);
    });
}
