//! Starts the two runtimes and their ports, and stops them without losing a request.
//!
//! Labs may block `app`. `ops` shares no thread with it, so it still answers. The service that labs
//! call starts before the app and ends after it.

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use tokio::runtime::Runtime;

use crate::{
    ops::{self, OpsState},
    router,
};
use observe::{
    Telemetry, blocked::BlockedPolls, live::Live, ops::Ops, route_metrics::Routes,
    runtime::Runtimes, workers::Workers,
};
use product::{
    api::{
        self,
        auth::{self, Auth},
        logs::{self, LogQueue},
    },
    config::Config,
    db::Db,
    held_bytes, input,
};
use workshop::{
    lab::Labs,
    race::{Races, Surroundings},
    throw_away, upstream,
};

/// Serves one connection, or refuses it.
mod answer;
/// Maximum of connections of a port, and their timeouts.
mod connections;
/// File descriptors and their division.
mod descriptors;
/// Error of a server that does not start.
mod error;
/// Kernel settings of listening sockets.
mod kernel;
/// Accepts connections on a port and serves a router on them.
mod listen;
/// State that handlers share.
mod open;
/// The two tokio runtimes.
mod runtimes;
/// Signals and their effects.
mod signals;
/// Shutdown.
mod stop;

use connections::Port;
pub use error::StartError;
use listen::{Serving, bind, serve};
pub use open::open_database;
pub use signals::Signals;

pub struct Server {
    pub app_addr: SocketAddr,
    pub ops_addr: SocketAddr,
    /// Service that labs call.
    pub upstream_addr: SocketAddr,
    /// Routes of the app, as axum prints them: the only list to compare the OpenAPI document with.
    pub app_routes: String,
    app: Runtime,
    ops: Runtime,
    upstream: upstream::Server,
    races: Arc<Races>,
    db: Db,
    logs: Arc<LogQueue>,
    serving_app: Serving,
    serving_ops: Serving,
    signals: Signals,
    /// True during shutdown: not ready, and each answer is the last one of its connection.
    leaving: Arc<AtomicBool>,
    drain_period: Duration,
    patience: Duration,
}

impl Server {
    /// Binds both ports, prepares the database, and serves. Must not be called on a runtime.
    pub fn start(config: &Config, telemetry: &Telemetry, labs: Labs) -> Result<Self, StartError> {
        demand_ops_token(config)?;
        demand_loopback(config)?;
        config.auth.check().map_err(StartError::of("BCRYPT_COST"))?;
        let auth = Auth::new(&config.auth).map_err(StartError::of("JWT_SECRET"))?;
        input::set_body_timeout(config.connections.body_timeout);
        let limits = descriptors::limits(config)?;
        let app_listener = bind("LISTEN", config.listen)?;
        let ops_listener = bind("OPS_LISTEN", config.ops_listen)?;
        let ops_bound = ops_listener.local_addr().map_err(StartError::of("OPS_LISTEN"))?;
        let upstream_listener = bind("UPSTREAM_LISTEN", config.upstream_listen)?;
        let workers = Workers::new(config.worker_threads());
        let app = runtimes::app(config.worker_threads(), workers.clone())?;
        let ops = runtimes::ops()?;

        let state = app.block_on(open::app_state(config, auth))?;
        let (db, log_queue) = (state.db.clone(), state.logs.clone());
        workshop::metrics::describe();
        let upstream = upstream::Server::start(upstream_listener, &db, telemetry.traces.sampler());
        let upstream = upstream.map_err(StartError::of("UPSTREAM_LISTEN"))?;
        let called = upstream.service();
        let leaving = state.leaving.clone();
        let runtimes = Runtimes { app: app.handle().clone(), ops: ops.handle().clone() };
        let pool = db.clone();
        runtimes.watch(move || pool.pool_use(), telemetry.metrics.clone());
        ops.spawn(state.limits.clone().forget_the_idle());
        app.spawn(auth::remove_expired(db.clone()));
        if let Some(retention) = config.ingest.retention {
            app.spawn(logs::delete_expired(db.clone(), retention));
        }

        let blocked = Arc::new(BlockedPolls::default());
        // Without layers nothing is measured, and a zero would look like a measurement.
        let measured = (!config.bare).then(|| labs.measured_routes());
        let labels = Arc::new(labs.route_labels(api::routes(&state)));
        let measured = measured.into_iter().flatten();
        let routes = Arc::new(Routes::new(labels.clone(), measured, blocked.clone()));
        let live = Live { routes: routes.clone(), workers };
        let labs = Arc::new(labs);
        let app_router = app.block_on(async {
            if config.bare {
                router::bare(state.clone(), &labs, &called, ops_bound)
            } else {
                router::observed(state.clone(), &labs, &called, ops_bound, telemetry, routes)
            }
        });
        let app_routes = format!("{app_router:?}");
        let observe = Ops {
            metrics: telemetry.metrics.clone(),
            runtimes,
            traces: telemetry.recent_traces.clone(),
            captures: Arc::default(),
            blocked,
            labels,
            live,
            before_scrape: report,
        };
        let app_addr = app_listener.local_addr().map_err(StartError::of("LISTEN"))?;
        let races = Races::new(Surroundings {
            app: app_addr,
            labs: labs.clone(),
            live: observe.live.clone(),
            traces: observe.traces.clone(),
            captures: observe.captures.clone(),
            labels: observe.labels.clone(),
            ops: ops.handle().clone(),
        });
        let sessions = config.ops_token().map(ops::Sessions::new).transpose();
        let ops_router = ops::router(OpsState {
            observe,
            labs,
            app_addr,
            races: races.clone(),
            log_filter: telemetry.log_filter.clone(),
            sessions: sessions.map_err(StartError::of("OPS_TOKEN"))?.map(Arc::new),
            names: ops::Names::of(config),
        });
        let of_ops = listen::of_ops(&limits, descriptors::OPS_CONNECTIONS);
        let port = Port::new("app", limits, leaving.clone());
        let serving_app = serve((&app, &ops), app_listener, app_router, port)?;
        let port = Port::new("ops", of_ops, Arc::default());
        let serving_ops = serve((&ops, &ops), ops_listener, ops_router, port)?;
        // On the ops runtime, because all workers of the app may be blocked.
        let signals = ops.block_on(async { Signals::new() }).map_err(StartError::of("signals"))?;
        Ok(Self {
            app_addr: serving_app.addr,
            ops_addr: serving_ops.addr,
            upstream_addr: called.addr(),
            app_routes,
            app,
            ops,
            upstream,
            races,
            db,
            logs: log_queue,
            serving_app,
            serving_ops,
            signals,
            leaving,
            drain_period: config.connections.drain_period,
            patience: Duration::from_secs(config.shutdown_timeout),
        })
    }

    /// Waits for a signal to stop. A second signal ends the process at once.
    pub fn wait_for_signal(&mut self) {
        self.ops.block_on(self.signals.next());
    }
}

/// Sets the metrics that are read only at a scrape.
fn report() {
    held_bytes::report();
    throw_away::report();
}

/// Demands loopback for the upstream, which answers everybody.
fn demand_loopback(config: &Config) -> Result<(), StartError> {
    let addr = config.upstream_listen;
    if addr.ip().to_canonical().is_loopback() {
        return Ok(());
    }
    let reason = format!("{addr} is not on loopback, and only labs of this server may call it");
    Err(StartError::new("UPSTREAM_LISTEN", reason))
}

fn demand_ops_token(config: &Config) -> Result<(), StartError> {
    if config.ops_listen.ip().to_canonical().is_loopback() || config.ops_token().is_some() {
        return Ok(());
    }
    let reason = format!(
        "{} is not on loopback, so OPS_TOKEN must be set: profiles show what runs here",
        config.ops_listen
    );
    Err(StartError::new("OPS_LISTEN", reason))
}
