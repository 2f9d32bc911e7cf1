//! `backup` copies a database during writes, `restore` makes a database from the copy, and neither
//! ever replaces anything.

use std::{
    fs,
    path::Path,
    process::Output,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    thread,
};

use reqwest::blocking::Client;
use sea_orm::sqlx::{Connection, Row, SqliteConnection};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::program::{Serving, program, text};

/// All rows of all tables as text, in order.
fn rows(file: &Path) -> Vec<String> {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let url = format!("sqlite://{}", file.display());
        let mut connection = SqliteConnection::connect(&url).await.unwrap();
        let tables = "SELECT name, sql FROM sqlite_schema WHERE type = 'table' ORDER BY name";
        let tables = sea_orm::sqlx::query(tables).fetch_all(&mut connection).await.unwrap();
        let mut rows = Vec::new();
        for table in tables {
            let (name, sql): (String, String) = (table.get(0), table.get(1));
            rows.push(sql);
            let columns =
                format!("SELECT group_concat(quote(name)) FROM pragma_table_info('{name}')");
            let columns = sea_orm::sqlx::AssertSqlSafe(columns);
            let columns: String =
                sea_orm::sqlx::query_scalar(columns).fetch_one(&mut connection).await.unwrap();
            let quoted: Vec<_> =
                columns.replace('\'', "\"").split(',').map(|c| format!("quote({c})")).collect();
            let select = format!("SELECT {} FROM \"{name}\" ORDER BY 1", quoted.join("||','||"));
            let select = sea_orm::sqlx::AssertSqlSafe(select);
            let found: Vec<String> =
                sea_orm::sqlx::query_scalar(select).fetch_all(&mut connection).await.unwrap();
            rows.extend(found.into_iter().map(|row| format!("{name}: {row}")));
        }
        connection.close().await.unwrap();
        rows
    })
}

fn ran(folder: &Path, args: &[&str]) -> Output {
    program(folder).args(args).output().unwrap()
}

fn succeeds(folder: &Path, args: &[&str]) -> String {
    let output = ran(folder, args);
    assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// Checks for exit code 2 and one line with the reason, and returns that line.
fn is_refused(folder: &Path, args: &[&str]) -> String {
    let output = ran(folder, args);
    assert_eq!(output.status.code(), Some(2), "{args:?}");
    let error = text(&output.stderr);
    assert_eq!(error.lines().count(), 1, "{error}");
    error
}

fn log(client: &Client, serving: &Serving, n: usize) {
    let body = json!({"device_id": "d", "log_level": "INFO", "message": n.to_string()});
    assert_eq!(client.post(serving.url("/api/log")).json(&body).send().unwrap().status(), 200);
}

#[test]
fn a_backup_under_load_has_all_that_was_acknowledged_before_it_and_nothing_half() {
    let serving = Serving::start(&[]);
    let client = Client::builder().no_proxy().build().unwrap();
    let (sent, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let before = thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(SeqCst) {
                    log(&client, &serving, sent.fetch_add(1, SeqCst));
                }
            });
        }
        while sent.load(SeqCst) < 50 {
            thread::yield_now();
        }
        // Each of the two writers has at most one request in flight.
        let before = sent.load(SeqCst) - 2;
        succeeds(serving.folder.path(), &["backup", "copy.db"]);
        stop.store(true, SeqCst);
        before
    });
    let other = TempDir::new().unwrap();
    let copy = serving.folder.path().join("copy.db");
    let args = ["restore", copy.to_str().unwrap()];
    succeeds(other.path(), &args);
    let restored = rows(&other.path().join("data/chokepoint.db"));
    assert_eq!(restored, rows(&copy));
    // Lines and their counts are from the same snapshot.
    let lines = restored.iter().filter(|row| row.starts_with("log_lines: ")).count();
    assert!((before..=sent.load(SeqCst)).contains(&lines), "{lines} of {before} at least");
    let url = format!("sqlite://{}", other.path().join("data/chokepoint.db").display());
    let of_copy = Serving::start(&[("DATABASE_URL", &url)]);
    let stats: Value = client.get(of_copy.url("/api/stats")).send().unwrap().json().unwrap();
    assert_eq!(stats["lines"], lines);
}

#[test]
fn a_backup_at_rest_has_the_same_rows_and_serves_them() {
    let serving = Serving::start(&[]);
    let client = Client::builder().no_proxy().build().unwrap();
    (0..10).for_each(|n| log(&client, &serving, n));
    let folder = serving.folder.path();
    let output = succeeds(folder, &["backup", "copies/today.db"]);
    let bytes = fs::metadata(folder.join("copies/today.db")).unwrap().len();
    assert!(output.contains(&format!("copied to copies/today.db, {bytes} bytes")), "{output}");
    succeeds(folder, &["restore", "copies/today.db", "--database-url=sqlite://other/new.db"]);
    assert_eq!(rows(&folder.join("other/new.db")), rows(&folder.join("data/chokepoint.db")));
    // No unfinished file is left beside them.
    for (names, place) in [("today.db", "copies"), ("new.db", "other")] {
        let there = fs::read_dir(folder.join(place)).unwrap();
        let there: Vec<_> = there.map(|file| file.unwrap().file_name()).collect();
        assert_eq!(there, [names]);
    }
}

#[test]
fn nothing_is_replaced_and_what_is_no_backup_is_refused() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    succeeds(folder, &["migrate"]);
    succeeds(folder, &["backup", "good.db"]);
    let mut damaged = fs::read(folder.join("good.db")).unwrap();
    let from = damaged.len() / 2;
    damaged[from..from + 8192].fill(0xa5);
    fs::write(folder.join("damaged.db"), damaged).unwrap();
    fs::write(folder.join("text"), "not a database").unwrap();
    fs::write(folder.join("dump"), b"PGDMP\x01\x0e").unwrap();
    fs::write(folder.join("left.db-wal"), "").unwrap();
    let to = "--database-url=sqlite://new.db";
    for (args, reason) in [
        (vec!["backup", "good.db"], "good.db exists; move it away first"),
        (vec!["backup", "copy.db", "--database-url=sqlite://absent.db"], "absent.db: "),
        (vec!["restore", "good.db"], "data/chokepoint.db exists; move it away first"),
        (vec!["restore", "good.db", "--database-url=sqlite://left.db"], "left.db-wal exists"),
        (vec!["restore", "absent.db", to], "absent.db: No such file"),
        (vec!["restore", "text", to], "text is no backup of a database"),
        (
            vec!["restore", "dump", to],
            "dump is of PostgreSQL, and DATABASE_URL names an SQLite file",
        ),
        (vec!["restore", "damaged.db", to], "damaged.db is damaged: "),
        (
            vec!["restore", "good.db", "--database-url=postgres://u:pw@127.0.0.1:1/n"],
            "good.db is of SQLite, and DATABASE_URL names a PostgreSQL",
        ),
    ] {
        let error = is_refused(folder, &args);
        assert!(error.contains(reason), "{args:?}: {error}");
    }
    let mut there: Vec<_> =
        fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name()).collect();
    there.sort();
    assert_eq!(there, ["damaged.db", "data", "dump", "good.db", "left.db-wal", "text"]);
}
