//! `migrate` and `seed`: the schema and the demo rows, as `serve` would make them.

use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};

use super::say;
use crate::lifecycle::open_database;
use product::{config::DatabaseConfig, seed};

pub fn block_on<T>(future: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|e| e.to_string())?.block_on(future)
}

pub fn migrate(config: &DatabaseConfig) -> Result<ExitCode, String> {
    block_on(async {
        let db = open_database(config).await.map_err(|e| e.to_string())?;
        db.close().await.map_err(|e| e.to_string())
    })?;
    say(format_args!("{}: the schema is up to date", config.shown()));
    Ok(ExitCode::SUCCESS)
}

pub fn seed(config: &DatabaseConfig, posts: u64) -> Result<ExitCode, String> {
    let bar = ProgressBar::new(posts).with_style(
        ProgressStyle::with_template("{bar:40} {pos}/{len} posts, {per_sec}, {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let added = block_on(async {
        let db = open_database(config).await.map_err(|e| e.to_string())?;
        let added = seed::posts_up_to(&db, posts, |total| bar.set_position(total)).await;
        let added = added.map_err(|e| format!("DATABASE_URL: {}: {e}", config.shown()))?;
        db.close().await.map_err(|e| e.to_string())?;
        Ok(added)
    })?;
    bar.finish_and_clear();
    say(format_args!("{}: {added} posts added", config.shown()));
    Ok(ExitCode::SUCCESS)
}
