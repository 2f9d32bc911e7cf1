//! Backups of an SQLite file by VACUUM INTO: of one moment, while others read and write.

use std::{path::Path, time::Duration};

use sea_orm::sqlx::{
    self, ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions,
};

/// Longest wait for a writer, which has the lock for a checkpoint at most.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// Copies `database` into the new file `copy`, and checks the copy.
pub async fn copy(database: &Path, copy: &Path) -> Result<(), String> {
    let mut connection = open(database).await?;
    let into = copy.to_str().ok_or("the path of the file must be UTF-8")?;
    let copied = sqlx::query("VACUUM INTO $1").bind(into).execute(&mut connection).await;
    copied.map_err(|e| format!("{}: {e}", copy.display()))?;
    connection.close().await.map_err(|e| format!("{}: {e}", database.display()))?;
    check(copy).await
}

/// Checks that every page and index of the file is intact, and that it is a database of ours.
pub async fn check(file: &Path) -> Result<(), String> {
    let mut connection = open(file).await?;
    let report: Result<String, _> =
        sqlx::query_scalar("PRAGMA integrity_check(1)").fetch_one(&mut connection).await;
    let ours: Result<i64, _> = sqlx::query_scalar("SELECT COUNT(*) FROM seaql_migrations")
        .fetch_one(&mut connection)
        .await;
    // Nothing was written, so nothing can be lost by closing.
    let _ = connection.close().await;
    match (report, ours) {
        (Ok(report), Ok(_)) if report == "ok" => Ok(()),
        // The first line names the database, the next one what is wrong with it.
        (Ok(report), Ok(_)) => {
            let problem = report.lines().last().unwrap_or_default();
            Err(format!("{} is damaged: {problem}", file.display()))
        }
        (Err(error), _) => Err(format!("{} is damaged: {error}", file.display())),
        (_, Err(_)) => Err(format!("{} is not a database of this program", file.display())),
    }
}

async fn open(file: &Path) -> Result<SqliteConnection, String> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(false)
        .busy_timeout(BUSY_TIMEOUT);
    options.connect().await.map_err(|e| format!("{}: {e}", file.display()))
}
