//! The upstream: a second HTTP service in this process, which labs call over TCP as they would call
//! another team's service.
//!
//! It has a port and a thread of its own, so a held worker of the app holds nothing here. Each
//! variant of each lab is a caller of its own, by the first part of the path: its faults, counts and
//! connections are nobody else's.

use std::{
    collections::BTreeMap,
    io,
    net::{SocketAddr, TcpListener},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use tokio::{
    runtime::{Builder, Runtime},
    sync::OnceCell,
    time::timeout,
};

use observe::{totals, traces::HeadSampler};
use product::{db::Db, error::Error};

/// State of a caller at the service: its faults and its counts.
mod caller;
/// HTTP client of a lab.
mod client;
/// Connections by caller.
mod connections;
/// Faults, drawn by a seed.
mod faults;
/// Phases of a run: up, or down.
mod phases;
/// Routes of the service.
mod routes;
/// Requests to the app, each with all of its calls.
mod visits;

use caller::Caller;
pub use caller::Counts;
pub use client::{Answer, Upstream, counting_client};
use connections::{Connection, NoDelay};
pub use faults::{DISTANCE, Fate, Faults};
pub use phases::Phase;

/// Connections to the database that holds what the service serves.
const POOL_SIZE: u32 = 2;

/// Time for the database pool to close, and for threads to end.
const ENDS_WITHIN: Duration = Duration::from_millis(500);

/// The service, running on its own runtime.
pub struct Server {
    runtime: Runtime,
    service: Service,
}

/// Handle to the service. Cheap to clone.
#[derive(Clone)]
pub struct Service(Arc<Shared>);

struct Shared {
    addr: SocketAddr,
    app_db: Db,
    /// Pool of the service, opened by the first request that needs it.
    db: OnceCell<Db>,
    sampler: Option<HeadSampler>,
    callers: RwLock<BTreeMap<String, Arc<Caller>>>,
}

impl Server {
    /// Serves on `listener`, which must not block, with the data of `db`. Must not be called on a
    /// runtime.
    pub fn start(listener: TcpListener, db: &Db, sampler: Option<HeadSampler>) -> io::Result<Self> {
        let addr = listener.local_addr()?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("upstream")
            .on_thread_start(totals::leave_this_thread_out)
            .enable_all()
            .build()?;
        let service = Service(Arc::new(Shared {
            addr,
            app_db: db.clone(),
            db: OnceCell::new(),
            sampler,
            callers: RwLock::default(),
        }));
        let routes = routes::router(service.clone());
        let make_service = routes.into_make_service_with_connect_info::<Connection>();
        let listener = {
            let _on_the_runtime = runtime.enter();
            tokio::net::TcpListener::from_std(listener)?
        };
        let listener = NoDelay(listener);
        runtime.spawn(async move { axum::serve(listener, make_service).await });
        Ok(Self { runtime, service })
    }

    pub fn service(&self) -> Service {
        self.service.clone()
    }

    /// Ends the service, its connections and its pool. What it is asked meanwhile is not answered.
    pub fn stop(self) {
        let Self { runtime, service } = self;
        if let Some(db) = service.0.db.get().cloned() {
            match runtime.block_on(async { timeout(ENDS_WITHIN, db.close()).await }) {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(%error, "the upstream's pool did not close"),
                Err(_) => tracing::warn!("the upstream's pool did not close in time"),
            }
        }
        runtime.shutdown_timeout(ENDS_WITHIN);
    }
}

impl Service {
    pub fn addr(&self) -> SocketAddr {
        self.0.addr
    }

    /// Handle for one variant of a lab, without faults but for the distance.
    pub fn for_caller(&self, lab: &str, variant: &str) -> Upstream {
        let mut callers = self.0.callers.write().unwrap_or_else(PoisonError::into_inner);
        let caller = callers
            .entry(name(lab, variant))
            .or_insert_with(|| Arc::new(Caller::new(lab, variant)));
        Upstream::new(caller.clone(), format!("http://{}/{lab}/{variant}", self.0.addr))
    }

    fn caller(&self, lab: &str, variant: &str) -> Option<Arc<Caller>> {
        let callers = self.0.callers.read().unwrap_or_else(PoisonError::into_inner);
        callers.get(&name(lab, variant)).cloned()
    }

    /// Its own pool: on the app's, an answer might need the connection of the request that waits.
    async fn db(&self) -> Result<&Db, Error> {
        let open = || self.0.app_db.another(POOL_SIZE);
        Ok(self.0.db.get_or_try_init(open).await?)
    }

    fn sampler(&self) -> Option<&HeadSampler> {
        self.0.sampler.as_ref()
    }
}

fn name(lab: &str, variant: &str) -> String {
    format!("{lab}/{variant}")
}
