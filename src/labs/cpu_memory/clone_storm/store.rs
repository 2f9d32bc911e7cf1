//! The catalogue in memory, loaded once. Each request asks the database whether it is still the one
//! that the tables have: one query, one row.

use std::sync::{Arc, PoisonError, RwLock};

use super::{catalogue::Catalogue, rows};
use product::{db::Db, error::Error};
use workshop::lab::DataError;

/// The store of this process.
pub static STORE: Store = Store(RwLock::new(None));

pub struct Store(RwLock<Option<Kept>>);

#[derive(Clone)]
struct Kept {
    version: i64,
    catalogue: Arc<Catalogue>,
}

impl Store {
    /// The catalogue, as a copy of the caller's own.
    pub async fn get(&self, db: &Db) -> Result<Catalogue, Error> {
        Ok(Catalogue::clone(&*self.shared(db).await?))
    }

    /// The catalogue, shared with all others who ask.
    pub async fn shared(&self, db: &Db) -> Result<Arc<Catalogue>, Error> {
        let version = rows::version(db).await?;
        // A panic while the lock was held leaves a catalogue that is whole.
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        match kept.filter(|kept| kept.version == version) {
            Some(kept) => Ok(kept.catalogue),
            None => self.load(db, version).await,
        }
    }

    /// Reads the tables. The version was read before: if they have changed since, the next request
    /// sees that.
    async fn load(&self, db: &Db, version: i64) -> Result<Arc<Catalogue>, Error> {
        let catalogue = Arc::new(rows::catalogue(db).await?);
        let kept = Kept { version, catalogue: catalogue.clone() };
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(kept);
        Ok(catalogue)
    }
}

/// Fills the tables and loads the catalogue, so that no request pays for that.
pub async fn fill_and_load(db: &Db) -> Result<(), DataError> {
    rows::fill(db).await?;
    STORE.shared(db).await?;
    Ok(())
}
