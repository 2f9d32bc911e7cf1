//! Texts of the statements that this process has sent. Each new one costs a preparation, on every
//! connection that meets it; the driver does not report these, but a text can be recognised.

use std::{
    collections::HashSet,
    hash::BuildHasher,
    sync::{LazyLock, PoisonError, RwLock},
};

use observe::{cost::Counter, request_cost};

/// Most texts that are remembered, by hashes of 8 bytes. Beyond it all are forgotten, and count again:
/// a program that sends so many has the problem that this counter is for.
const MOST: usize = 100_000;

static SENT: LazyLock<RwLock<HashSet<u64>>> = LazyLock::new(RwLock::default);

/// Counts a statement whose text was not sent before.
pub fn sent(sql: &str) {
    // A panic while the lock was held leaves a set that is whole.
    let known = SENT.read().unwrap_or_else(PoisonError::into_inner);
    let hash = known.hasher().hash_one(sql);
    if known.contains(&hash) {
        return;
    }
    drop(known);
    let mut known = SENT.write().unwrap_or_else(PoisonError::into_inner);
    if known.len() >= MOST {
        known.clear();
    }
    if known.insert(hash) {
        request_cost::add(Counter::NewStatements, 1);
    }
}
