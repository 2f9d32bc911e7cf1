//! PostgreSQL refuses, goes down and comes back; otherwise it serves like SQLite.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use futures_util::future::join_all;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::Value;
use server::lifecycle::open_database;

use crate::{
    backends::{BackEnds, server},
    support::{TestApp, header, problem},
};

/// Script that starts a separate PostgreSQL.
const RECIPE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/.ci/servers/postgres");

/// Attempts, 50 ms apart, before a wait fails.
const ATTEMPTS: usize = 200;

/// A server of this test, so that it can be killed or frozen.
pub struct OwnServer(pub String);

impl OwnServer {
    pub fn start() -> Self {
        let output = Command::new(RECIPE).arg("start").stderr(Stdio::inherit()).output().unwrap();
        assert!(output.status.success(), "{RECIPE} start");
        Self(String::from_utf8(output.stdout).unwrap().trim().to_owned())
    }

    pub fn tell(&self, command: &str) {
        assert!(Command::new(RECIPE).args([command, &self.0]).status().unwrap().success());
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        let _ = Command::new(RECIPE).args(["stop", &self.0]).status();
    }
}

#[test]
fn a_database_that_goes_is_503_and_comes_back_without_a_restart() {
    let postgres = OwnServer::start();
    let app = TestApp::start_with(&["--database-url", &postgres.0]);
    app.run(async {
        let until_back = async || {
            for _ in 0..ATTEMPTS {
                match app.get("/api/posts/v2/fast").await.status().as_u16() {
                    200 => return,
                    status => assert_eq!(status, 503),
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            panic!("it did not come back");
        };
        for round in 0..2 {
            // Several connections, so that several are dead later.
            join_all((0..8).map(|_| until_back())).await;
            postgres.tell("crash");
            for path in ["/api/posts/v2/fast", "/api/posts/v2/fast", "/health/ready"] {
                let refused = app.get(path).await;
                assert_eq!(refused.status(), 503, "{path}, round {round}");
                assert_eq!(header(&refused, "retry-after"), "1");
                assert_eq!(problem(refused).await["detail"], "the database is not available");
            }
            assert_eq!(app.get("/health/live").await.status(), 200);
            postgres.tell("again");
        }
        until_back().await;
    });
}

#[test]
fn a_start_that_cannot_work_says_why_in_one_line_without_the_password() {
    let changed = |change: &dyn Fn(&mut reqwest::Url)| {
        let mut url = server("TEST_POSTGRES_URL");
        url.set_password(Some("hunter2")).unwrap();
        change(&mut url);
        url.to_string()
    };
    let password = server("TEST_POSTGRES_URL").password().unwrap().to_owned();
    for (url, reason) in [
        (changed(&|_| {}), "password authentication failed"),
        (changed(&|url| url.set_port(Some(1)).unwrap()), "refused"),
        (
            changed(&|url| {
                url.set_password(Some(&password)).unwrap();
                url.set_path("hunter3");
            }),
            "database \"hunter3\" does not exist",
        ),
    ] {
        let mut program = Command::new(env!("CARGO_BIN_EXE_chokepoint"));
        program.env_clear().env("LISTEN", "127.0.0.1:0").env("OPS_LISTEN", "127.0.0.1:0");
        let output = program.env("DATABASE_URL", url).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
        assert!(error.starts_with("error: DATABASE_URL: ") && error.contains(reason), "{error}");
        let all = error + &String::from_utf8(output.stdout).unwrap();
        assert!(!all.contains("hunter2") && !all.contains(&password), "{all}");
    }
}

#[test]
fn labs_answer_as_they_do_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let file = format!("sqlite://{}", folder.path().join("test.db").display());
    let (postgres, sqlite) = (TestApp::start(), TestApp::start_with(&["--database-url", &file]));
    postgres.run(async {
        for loaded in crate::support::labs().all() {
            let [here, there] = [&postgres, &sqlite].map(|app| app.ask(loaded, "fast"));
            let (here, there) = (here.await, there.await);
            assert_eq!(here.status(), there.status(), "{}", loaded.lab.id);
            let right = &loaded.evidence.answer;
            let here: Value = right.comparable(here.json().await.unwrap());
            let there: Value = right.comparable(there.json().await.unwrap());
            assert_eq!(here, there, "{}", loaded.lab.id);
        }
    });
}

#[tokio::test]
async fn a_commit_is_on_disk_before_it_is_acknowledged_whatever_the_default() {
    let back_ends = BackEnds::new();
    let db = open_database(&back_ends.database(1)).await.unwrap();
    let name = back_ends.database_url().rsplit_once('/').unwrap().1.to_owned();
    let off = format!("ALTER DATABASE {name} SET synchronous_commit = off");
    db.execute_unprepared(&off).await.unwrap();
    db.close().await.unwrap();
    let db = open_database(&back_ends.database(1)).await.unwrap();
    for setting in ["synchronous_commit", "fsync"] {
        let ask = Statement::from_string(DbBackend::Postgres, format!("SHOW {setting}"));
        let row = db.query_one_raw(ask).await.unwrap().unwrap();
        assert_eq!(row.try_get_by_index::<String>(0).unwrap(), "on", "{setting}");
    }
    db.close().await.unwrap();
}

#[test]
fn the_writer_of_log_lines_waits_for_the_disk_whatever_the_default() {
    let app = TestApp::start();
    app.run(async {
        let db = app.db().await;
        let off = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', \
                   current_database()); END $$";
        db.execute_unprepared(off).await.unwrap();
        db.close().await.unwrap();
    });
    let second = TestApp::start_beside(&app, &[]);
    second.run(async {
        let stats: Value = second.get("/api/stats").await.json().await.unwrap();
        assert_eq!(stats["durability"], "synchronous_commit=on", "of the writer's own connection");
    });
}
