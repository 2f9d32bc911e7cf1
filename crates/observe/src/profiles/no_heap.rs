//! Heap profiles come from jemalloc, which this program uses on Linux only.

use std::time::Duration;

use serde::Serialize;

use super::{Recorded, Window};
use crate::error::Error;

#[derive(Debug, Serialize)]
pub struct Sampling {
    pub active: bool,
}

pub fn sampling() -> Sampling {
    Sampling { active: false }
}

pub async fn switch(_: Option<Duration>) -> Result<Sampling, Error> {
    Err(not_here())
}

pub fn record(_: &Window) -> Result<Recorded, Error> {
    Err(not_here())
}

/// Does nothing: the system's allocator returns memory by itself.
pub fn give_back() {}

fn not_here() -> Error {
    Error::NotSupported("heap profiles need Linux".to_owned())
}
