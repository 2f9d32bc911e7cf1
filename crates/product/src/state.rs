//! What a handler may take: destructure it in the signature and the signature says what is touched.

use std::sync::{Arc, atomic::AtomicBool};

use axum::extract::FromRef;

use crate::{
    api::{auth::Auth, held_threads::HeldThreads, limits::Limits, logs::LogQueue},
    cache::{Cache, bloom::IdFilter},
    config::Config,
    db::Db,
    edge::Proxies,
};

/// Routers hold it behind one pointer: axum copies a router's state some ten times a request.
pub type SharedState = Arc<AppState>;

#[derive(Clone)]
pub struct AppState {
    pub db: Db,
    pub cache: Cache,
    /// Which todos may exist.
    pub todo_ids: Arc<IdFilter>,
    pub config: Arc<Config>,
    pub auth: Arc<Auth>,
    pub logs: Arc<LogQueue>,
    pub held_threads: HeldThreads,
    /// For the /api/v1 requests that hash a password.
    pub password_threads: HeldThreads,
    pub limits: Limits,
    pub proxies: Proxies,
    /// A signal to stop has come.
    pub leaving: Arc<AtomicBool>,
}

impl FromRef<SharedState> for AppState {
    fn from_ref(shared: &SharedState) -> Self {
        Self::clone(shared)
    }
}
