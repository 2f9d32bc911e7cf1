//! Requests in flight of a client behind a trusted proxy, whose connections don't identify clients.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use metrics::counter;

use super::{Proxies, network};
use crate::error::Error;
use crate::metrics as names;

/// Number of counters. Clients that share one by chance share a limit of hundreds of requests.
const COUNTERS: usize = 65_536;

/// Counts requests in flight by the client's address. Needs no lock, and has nothing to forget.
#[derive(Clone)]
pub struct Crowd {
    proxies: Proxies,
    most: u32,
    counters: Arc<[AtomicU32]>,
    hasher: RandomState,
}

impl Crowd {
    pub fn new(proxies: Proxies, most: u32) -> Self {
        let counters = (0..COUNTERS).map(|_| AtomicU32::new(0)).collect();
        Self { proxies, most, counters, hasher: RandomState::new() }
    }

    fn counter(&self, request: &Request) -> Option<usize> {
        let client = self.proxies.forwarded_client(request.extensions(), request.headers())?;
        let hash = self.hasher.hash_one(network(client));
        usize::try_from(hash % COUNTERS as u64).ok()
    }
}

/// One request that is counted.
struct Counted<'a>(&'a AtomicU32);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

pub async fn bound_the_crowd(
    State(crowd): State<Crowd>,
    request: Request,
    next: Next,
) -> Result<Response, Error> {
    let Some(index) = crowd.counter(&request) else { return Ok(next.run(request).await) };
    let counter = &crowd.counters[index];
    let before = counter.fetch_add(1, Relaxed);
    let _counted = Counted(counter);
    if before >= crowd.most {
        let refused = counter!(names::CONNECTIONS_REFUSED, "port" => "app", "reason" => "client");
        refused.increment(1);
        return Err(Error::Overloaded(
            "this address has as many requests in flight as it may have",
        ));
    }
    Ok(next.run(request).await)
}
