//! Single flight: those who want to load the same key take turns. The first loads; whoever gets the
//! turn after that must look into the cache again.

use std::sync::Arc;

use dashmap::DashMap;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// A lock for each key, shared by all visitors. A lock stays when its turn is over, so the keys must
/// be few.
#[derive(Clone, Default)]
pub struct SingleFlight(Arc<DashMap<&'static str, Arc<Mutex<()>>>>);

impl SingleFlight {
    /// Waits for the turn at a key. It ends when it is dropped, also by an error.
    pub async fn turn(&self, key: &'static str) -> OwnedMutexGuard<()> {
        let lock = self.0.entry(key).or_default().clone();
        lock.lock_owned().await
    }
}
