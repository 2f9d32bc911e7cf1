//! Password hashes. bcrypt takes a quarter of a second of a core, so it matters where hashes run
//! and how many run at once.

use std::{sync::Arc, time::Instant};

use metrics::{counter, gauge, histogram};
use tokio::{
    runtime::{Handle, RuntimeFlavor},
    sync::Semaphore,
    task::block_in_place,
};
use tracing::{Instrument, Span};

use super::hash_places::{HashPlace, HashPlaces};
use crate::metrics as names;
use crate::{api::concurrency::Model, error::Error};
use observe::{cost::Counter, request_cost, task, traces};

pub struct Passwords {
    cost: u32,
    /// Hash that no password has, checked when there is no account.
    nobodys: String,
    /// Places of requests that hash or wait for a permit, under either model.
    pub places: HashPlaces,
    /// One permit per core: more hashes at once would each take longer, and other requests need the
    /// cores too.
    permits: Arc<Semaphore>,
}

impl Passwords {
    pub fn new(cost: u32) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        // Salt and result are all zeros. The time of a check depends on the cost alone.
        let nobodys = format!("$2b${cost:02}${}", ".".repeat(22 + 31));
        let places = HashPlaces::new(cores, cost);
        Self { cost, nobodys, places, permits: Arc::new(Semaphore::new(cores)) }
    }

    pub async fn hash(
        &self,
        model: Model,
        place: HashPlace,
        password: String,
    ) -> Result<String, Error> {
        let cost = self.cost;
        self.run(model, place, move || bcrypt::hash(password, cost)).await
    }

    /// True if the password matches the hash. Without a hash: false, after the same work.
    pub async fn is_right(
        &self,
        model: Model,
        place: HashPlace,
        password: String,
        hash: Option<String>,
    ) -> Result<bool, Error> {
        let has_hash = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.nobodys.clone());
        let is_same = self.run(model, place, move || bcrypt::verify(password, &hash)).await?;
        Ok(has_hash && is_same)
    }

    async fn run<T: Send + 'static>(
        &self,
        model: Model,
        place: HashPlace,
        hash: impl FnOnce() -> bcrypt::BcryptResult<T> + Send + 'static,
    ) -> Result<T, Error> {
        let requested = Instant::now();
        let permit = self.permits.clone().acquire_owned();
        let permit = permit.instrument(traces::waiting("password hash wait")).await;
        let permit = permit.map_err(Error::internal)?;
        histogram!(names::PASSWORD_HASH_WAIT).record(requested.elapsed());
        let (request, cost) = (Span::current(), self.cost);
        let hash = move || {
            // The closure keeps both: a client that disconnects does not stop the hashing.
            let _kept = (place, permit);
            let _in_request = request.enter();
            let _in_span =
                tracing::info_span!("password hash", chokepoint.bcrypt_cost = i64::from(cost))
                    .entered();
            let hashing = gauge!(names::PASSWORDS_HASHING);
            hashing.increment(1.0);
            let started = Instant::now();
            let result = hash();
            request_cost::add(Counter::Hashes, 1);
            hashing.decrement(1.0);
            let model = if model == Model::Held { "held" } else { "async" };
            counter!(names::PASSWORD_HASHES, "model" => model).increment(1);
            histogram!(names::PASSWORD_HASH_TIME).record(started.elapsed());
            result.map_err(Error::internal)
        };
        match model {
            Model::Held => hash_here(hash),
            Model::Async => {
                let queued = traces::waiting("blocking pool wait");
                let on_blocking_pool = task::spawn_blocking(move || {
                    drop(queued);
                    hash()
                });
                on_blocking_pool.await.map_err(Error::internal)?
            }
        }
    }
}

/// Hashes on the thread that the request holds. If that is a worker of a runtime after all, the
/// worker hands its other tasks to another thread first.
fn hash_here<T>(hash: impl FnOnce() -> T) -> T {
    match Handle::current().runtime_flavor() {
        RuntimeFlavor::MultiThread => block_in_place(hash),
        _ => hash(),
    }
}
