//! State that handlers may take. Destructured in a signature, it shows what the handler touches.

use std::sync::{Arc, atomic::AtomicBool};

use axum::extract::FromRef;

use crate::{
    api::{auth::Auth, limits::Limits, logs::LogQueue, request_threads::RequestThreads},
    cache::{Cache, bloom::IdFilter},
    config::Config,
    db::Db,
    edge::Proxies,
};

/// Pointer to the state of routers: axum copies a router's state some ten times a request.
pub type SharedState = Arc<AppState>;

#[derive(Clone)]
pub struct AppState {
    pub db: Db,
    pub cache: Cache,
    /// Filter of the todo ids that may exist.
    pub todo_ids: Arc<IdFilter>,
    pub config: Arc<Config>,
    pub auth: Arc<Auth>,
    pub logs: Arc<LogQueue>,
    pub request_threads: RequestThreads,
    /// Threads for the /api/v1 requests that hash a password.
    pub password_threads: RequestThreads,
    pub limits: Limits,
    pub proxies: Proxies,
    /// True after a signal to stop.
    pub leaving: Arc<AtomicBool>,
}

impl FromRef<SharedState> for AppState {
    fn from_ref(shared: &SharedState) -> Self {
        Self::clone(shared)
    }
}
