//! Span of a statement, by OpenTelemetry's conventions for database clients.
//!
//! Not that of sea-orm's `tracing-spans`: it has the attributes from before the conventions were
//! stable, and knows neither rows nor the table, nor BEGIN and COMMIT.

use sea_orm::{DbBackend, DbErr, Statement};
use tracing::{Span, field::Empty};

use super::{failure::is_unavailable, link::Link};

/// Operation of a statement, and its table.
struct Summary<'a> {
    operation: &'a str,
    table: Option<&'a str>,
}

/// Span of a statement with bound values: its text holds none of them.
pub fn of_statement(link: &Link, statement: &Statement) -> Span {
    span(link, statement.sql.as_str(), true)
}

/// Span of a statement that may hold values, so that its text is left out.
pub fn of_unprepared(link: &Link, sql: &str) -> Span {
    span(link, sql, false)
}

fn span(link: &Link, sql: &str, has_text: bool) -> Span {
    // For a log at `chokepoint::db=debug`: the name that people know, not the one of this crate.
    tracing::debug!(target: "chokepoint::db", sql = has_text.then_some(sql), "statement");
    // The text of a statement that isn't traced is not parsed.
    if Span::current().is_none() {
        return Span::none();
    }
    let Summary { operation, table } = summary(sql);
    let name = table.map_or_else(|| operation.to_owned(), |table| format!("{operation} {table}"));
    let (system, server) = (system(link.backend()), link.address());
    tracing::info_span!(
        "statement",
        otel.name = name,
        otel.kind = "client",
        otel.status_code = Empty,
        "error.type" = Empty,
        db.system.name = system,
        db.namespace = server.as_ref().map(|server| server.database),
        db.operation.name = operation,
        db.collection.name = table,
        db.query.summary = name,
        db.query.text = has_text.then_some(sql),
        db.response.returned_rows = Empty,
        server.address = server.as_ref().map(|server| server.host),
        server.port = server.as_ref().map(|server| i64::from(server.port)),
    )
}

/// Records the result of a statement on its span.
pub fn ended<T>(span: &Span, result: &Result<T, DbErr>, rows: Option<u64>) {
    if span.is_none() {
        return;
    }
    match result {
        Ok(_) => {
            // Signed, or it would become text.
            span.record(
                "db.response.returned_rows",
                rows.map(|rows| i64::try_from(rows).unwrap_or(i64::MAX)),
            );
        }
        Err(error) => {
            let kind = if is_unavailable(error) { "unavailable" } else { "refused" };
            span.record("otel.status_code", "ERROR").record("error.type", kind);
        }
    }
}

fn system(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::Postgres => "postgresql",
        DbBackend::MySql => "mysql",
        _ => "sqlite",
    }
}

/// Takes the first word, and the name that follows FROM, INTO or UPDATE.
fn summary(sql: &str) -> Summary<'_> {
    let mut words = sql.split_ascii_whitespace();
    let operation = words.next().unwrap_or("statement");
    let before_table = match operation.to_ascii_uppercase().as_str() {
        "SELECT" | "DELETE" => "FROM",
        "INSERT" => "INTO",
        "UPDATE" => return Summary { operation, table: words.next().and_then(name) },
        _ => return Summary { operation, table: None },
    };
    // For a subquery it is the table inside.
    let mut table = None;
    while table.is_none() && words.any(|word| word.eq_ignore_ascii_case(before_table)) {
        table = words.next().and_then(name);
    }
    Summary { operation, table }
}

/// Name of a table for a span's name; None if there is a subquery instead.
fn name(word: &str) -> Option<&str> {
    let word = word.split(['(', ')', ',', ';']).next()?.trim_matches(['"', '`']);
    let is_name = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    (!word.is_empty() && word.bytes().all(is_name)).then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_summed_up_as_what_it_does_and_to_what() {
        for (sql, operation, table) in [
            (r#"SELECT "posts"."id" FROM "posts" WHERE "id" = ?"#, "SELECT", Some("posts")),
            (r#"INSERT INTO "todos" ("title") VALUES ($1)"#, "INSERT", Some("todos")),
            ("INSERT INTO log_lines(device_id) SELECT 1", "INSERT", Some("log_lines")),
            (r#"UPDATE "users" SET "email" = ?"#, "UPDATE", Some("users")),
            ("delete from todos", "delete", Some("todos")),
            (
                r#"SELECT COUNT(*) FROM (SELECT "id" FROM "comments") AS "s""#,
                "SELECT",
                Some("comments"),
            ),
            ("SELECT count(*) FROM (SELECT 1)", "SELECT", None),
            ("SELECT 1", "SELECT", None),
            ("PRAGMA synchronous", "PRAGMA", None),
            ("", "statement", None),
        ] {
            let summary = summary(sql);
            assert_eq!((summary.operation, summary.table), (operation, table), "{sql}");
        }
    }
}
