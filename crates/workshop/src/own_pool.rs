//! A pool of a wrong fix's own: the app's pool has the size that the others are measured with.

use std::sync::Arc;

use product::db::Db;
use sea_orm::DbErr;
use tokio::sync::OnceCell;

/// Pool to the app's database, which the first request opens.
#[derive(Clone)]
pub struct OwnPool {
    connections: u32,
    pool: Arc<OnceCell<Db>>,
}

impl OwnPool {
    pub fn of(connections: u32) -> Self {
        Self { connections, pool: Arc::default() }
    }

    /// The pool. `app` is a pool to the same database.
    ///
    /// # Errors
    /// A database that can't be reached.
    pub async fn get(&self, app: &Db) -> Result<&Db, DbErr> {
        self.pool.get_or_try_init(|| app.another(self.connections)).await
    }
}
