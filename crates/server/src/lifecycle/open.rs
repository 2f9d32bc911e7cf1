//! State that handlers share, opened once: database, cache, and what reads them first.

use std::{path::Path, sync::Arc};

use tokio::runtime::Handle;

use super::StartError;
use product::{
    api::state::{AppState, SharedState},
    api::{
        auth::Auth,
        limits::{Limits, Shared},
        logs::LogQueue,
        request_threads::RequestThreads,
        todos,
    },
    cache::Cache,
    config::{Config, DatabaseConfig},
    db::Db,
    edge::Proxies,
    seed,
};

/// Opens the database, migrates its schema and inserts the demo rows.
pub async fn open_database(config: &DatabaseConfig) -> Result<Db, StartError> {
    if let Some(folder) = config.file().as_deref().and_then(Path::parent) {
        std::fs::create_dir_all(folder)
            .map_err(|e| StartError::new("DATABASE_URL", format!("{}: {e}", folder.display())))?;
    }
    let error =
        |e: sea_orm::DbErr| StartError::new("DATABASE_URL", format!("{}: {e}", config.shown()));
    let db = Db::connect(config).await.map_err(error)?;
    db.set_up(seed::demo_rows).await.map_err(error)?;
    Ok(db)
}

/// Opens the shared state. Must run on the app's runtime, which then has the background tasks.
pub async fn app_state(config: &Config, auth: Auth) -> Result<SharedState, StartError> {
    let db = open_database(&config.database).await?;
    let cache = Cache::open(&config.cache).await.map_err(StartError::of("REDIS_URL"))?;
    let todo_ids = todos::known_ids(&db, config.cache.bloom_false_positives)
        .await
        .map_err(StartError::of("DATABASE_URL"))?;
    let logs =
        LogQueue::start(&db, &config.ingest).await.map_err(StartError::of("DATABASE_URL"))?;
    let request_threads = RequestThreads::start(config.v1_threads, &Handle::current())
        .map_err(StartError::of("V1_THREADS"))?;
    let password_threads = RequestThreads::start_apart(config.v1_threads, &Handle::current())
        .map_err(StartError::of("V1_THREADS"))?;
    Ok(Arc::new(AppState {
        todo_ids,
        config: Arc::new(config.clone()),
        auth: Arc::new(auth),
        logs: Arc::new(logs),
        request_threads,
        password_threads,
        limits: Limits::new(&config.limits, cache.redis().map(Shared::new)),
        proxies: Proxies::new(&config.limits.trusted_proxies),
        leaving: Arc::default(),
        db,
        cache,
    }))
}
