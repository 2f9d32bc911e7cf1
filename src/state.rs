//! What a handler may take: destructure it in the signature and the signature says what is touched.

use std::sync::Arc;

use crate::{db::Db, labs::Labs};

#[derive(Clone)]
pub struct AppState {
    pub db: Db,
    pub labs: Arc<Labs>,
}
