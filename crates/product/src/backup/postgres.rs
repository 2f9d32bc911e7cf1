//! Backups of PostgreSQL by pg_dump and pg_restore, which know all that a database may hold.

use std::{
    io,
    path::Path,
    process::{Command, Stdio},
};

use percent_encoding::percent_decode_str;
use reqwest::Url;
use sea_orm::sqlx::{self, Connection, PgConnection};

/// Number of tables that are not PostgreSQL's own.
const TABLES: &str = "\
SELECT COUNT(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
WHERE c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'";

/// Dumps the database as it is at one moment, in pg_dump's own format.
pub fn dump(url: &str, file: &Path) -> Result<(), String> {
    let mut pg_dump = command_for("pg_dump", url)?;
    pg_dump.arg("--format=custom").arg("--no-owner").arg("--no-privileges");
    run(pg_dump.arg("--file").arg(file))
}

/// Fills an empty database from a dump: all of it or nothing.
pub async fn restore(url: &str, file: &Path) -> Result<(), String> {
    let error = |e: sqlx::Error| format!("DATABASE_URL: {e}");
    let mut connection = PgConnection::connect(url).await.map_err(error)?;
    let tables: i64 = sqlx::query_scalar(TABLES).fetch_one(&mut connection).await.map_err(error)?;
    connection.close().await.map_err(error)?;
    if tables > 0 {
        return Err(format!(
            "DATABASE_URL: the database has {tables} tables; restore into an empty one"
        ));
    }
    let mut pg_restore = command_for("pg_restore", url)?;
    pg_restore.args(["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]);
    run(pg_restore.arg(file))
}

/// Command of a PostgreSQL program that connects to the database. The password is in its
/// environment, because everybody may read arguments.
fn command_for(program: &str, url: &str) -> Result<Command, String> {
    let mut url = Url::parse(url).map_err(|e| format!("DATABASE_URL: {e}"))?;
    let decoded = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let (of_query, others): (Vec<_>, Vec<_>) =
        url.query_pairs().into_owned().partition(|(name, _)| name == "password");
    let of_query = of_query.into_iter().next_back().map(|(_, password)| password);
    let password = of_query.or_else(|| url.password().map(decoded));
    url.set_query(None);
    if !others.is_empty() {
        url.query_pairs_mut().extend_pairs(others);
    }
    // Fails only without a host, and then there is no password either.
    let _ = url.set_password(None);
    let mut command = Command::new(program);
    command.arg("--dbname").arg(url.as_str()).stdin(Stdio::null()).stdout(Stdio::null());
    if let Some(password) = password {
        command.env("PGPASSWORD", password);
    }
    Ok(command)
}

fn run(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            format!("{program} is not installed (Debian: postgresql-client)")
        }
        _ => format!("{program}: {error}"),
    })?;
    if output.status.success() {
        return Ok(());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    let first = stderr.lines().find(|line| !line.trim().is_empty()).unwrap_or("it failed");
    Err(format!("{program}: {}", first.trim_start_matches(&format!("{program}: "))))
}
