//! Storage of this binary's tests: an SQLite file, and the cache in the process.

use product::config::DatabaseConfig;
use tempfile::TempDir;

/// A new, empty database. It is deleted when this is dropped.
pub struct BackEnds(TempDir);

impl BackEnds {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn database_url(&self) -> String {
        format!("sqlite://{}", self.0.path().join("test.db").display())
    }

    pub fn database(&self, pool_size: u32) -> DatabaseConfig {
        DatabaseConfig::of(self.database_url(), pool_size)
    }

    /// Flags that make a server use it.
    pub fn flags(&self) -> Vec<String> {
        vec![format!("--database-url={}", self.database_url())]
    }
}
