//! Where the tests of this binary keep their rows: an SQLite file, and the cache of the process.

use product::config::DatabaseConfig;
use tempfile::TempDir;

/// One database, new and empty. It ends with this.
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

    /// What tells a server to use them.
    pub fn flags(&self) -> Vec<String> {
        vec![format!("--database-url={}", self.database_url())]
    }
}
