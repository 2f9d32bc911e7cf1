//! Starts the two runtimes and their ports, and stops them without losing a request.
//!
//! `app` may be choked by the labs; `ops` shares no thread with it, so it answers all the same.

use std::{
    net::{SocketAddr, TcpListener},
    path::Path,
    sync::Arc,
    time::Duration,
};

use axum::{Router, serve::ListenerExt};
use tokio::{
    runtime::{Builder, Runtime},
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
    task::JoinHandle,
    time::timeout,
};

use crate::{
    config::{Config, DatabaseConfig},
    db::Db,
    labs::Labs,
    ops::{self, OpsState},
    router, seed,
    state::AppState,
    telemetry::{self, Telemetry, runtime::Runtimes},
};

/// Enough for metrics while a profile is being resolved.
const OPS_WORKERS: usize = 2;

/// How long what is not a request gets at the end.
const OPS_ENDS_WITHIN: Duration = Duration::from_secs(1);

/// The exit code of a process that a signal ended, by the shells' convention for SIGINT.
const INTERRUPTED: i32 = 130;

/// How long threads that still block get at the end, when no request is left.
const THREADS_END_WITHIN: Duration = Duration::from_millis(200);

/// Why the server can't start, and which setting to look at.
#[derive(Debug, thiserror::Error)]
#[error("{setting}: {reason}")]
pub struct StartError {
    pub setting: String,
    pub reason: String,
}

fn setting(name: impl Into<String>, reason: impl ToString) -> StartError {
    StartError { setting: name.into(), reason: reason.to_string() }
}

pub struct Server {
    pub app_addr: SocketAddr,
    pub ops_addr: SocketAddr,
    app: Runtime,
    ops: Runtime,
    db: Db,
    stop_app: watch::Sender<bool>,
    stop_ops: watch::Sender<bool>,
    signals: Signals,
    app_task: JoinHandle<std::io::Result<()>>,
    ops_task: JoinHandle<std::io::Result<()>>,
    patience: Duration,
}

impl Server {
    /// Binds both ports, migrates and seeds the database, and serves. Not to be called on a runtime.
    pub fn start(config: &Config, telemetry: &Telemetry) -> Result<Self, StartError> {
        if !config.ops_listen.ip().is_loopback() && config.ops_token.is_none() {
            let reason = format!(
                "{} is not on loopback, so OPS_TOKEN must be set: profiles show what runs here",
                config.ops_listen
            );
            return Err(setting("OPS_LISTEN", reason));
        }
        let labs = Arc::new(Labs::load().map_err(|e| setting("labs", e))?);
        let app_listener = bind("LISTEN", config.listen)?;
        let ops_listener = bind("OPS_LISTEN", config.ops_listen)?;
        let app = app_runtime(config.worker_threads()).map_err(|e| setting("WORKER_THREADS", e))?;
        let ops = ops_runtime().map_err(|e| setting("ops runtime", e))?;
        let db = app.block_on(open_database(&config.database))?;

        let state = AppState { db: db.clone(), labs };
        let runtimes = Runtimes { app: app.handle().clone(), ops: ops.handle().clone() };
        runtimes.watch(db.clone(), telemetry.metrics.clone());
        let app_router = app.block_on(async {
            if config.bare {
                router::bare(state.clone())
            } else {
                router::observed(state.clone(), telemetry)
            }
        });
        let ops_router = ops::router(OpsState {
            app: state,
            metrics: telemetry.metrics.clone(),
            runtimes,
            token: config.ops_token.as_deref().map(Arc::from),
        });

        let (stop_app, app_stopped) = watch::channel(false);
        let (stop_ops, ops_stopped) = watch::channel(false);
        let addr = |listener: &TcpListener| listener.local_addr().map_err(|e| setting("LISTEN", e));
        Ok(Self {
            app_addr: addr(&app_listener)?,
            ops_addr: addr(&ops_listener)?,
            app_task: serve(&app, app_listener, app_router, app_stopped)?,
            ops_task: serve(&ops, ops_listener, ops_router, ops_stopped)?,
            // The ops runtime, because the app's workers may all be held.
            signals: ops.block_on(async { Signals::new() }).map_err(|e| setting("signals", e))?,
            app,
            ops,
            db,
            stop_app,
            stop_ops,
            patience: Duration::from_secs(config.shutdown_timeout),
        })
    }

    /// Waits for SIGINT or SIGTERM. A second one ends the process at once.
    pub fn wait_for_signal(&mut self) {
        self.ops.block_on(self.signals.next());
    }

    /// Takes no new requests, lets those in flight finish, and ends. True if all of them did. Ops
    /// answers until then, so the end can be watched.
    pub fn stop(self) -> bool {
        let Self {
            app,
            ops,
            db,
            stop_app,
            stop_ops,
            mut signals,
            app_task,
            ops_task,
            patience,
            ..
        } = self;
        ops.spawn(async move {
            signals.next().await;
            std::process::exit(INTERRUPTED);
        });
        // Sending fails only if that server has ended already.
        let _ = stop_app.send(true);
        let all_finished = ops.block_on(async {
            let finished = timeout(patience, app_task).await.is_ok();
            let _ = stop_ops.send(true);
            let _ = timeout(OPS_ENDS_WITHIN, ops_task).await;
            finished
        });
        if all_finished {
            match app.block_on(async { timeout(OPS_ENDS_WITHIN, db.close()).await }) {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(%error, "the database did not close"),
                Err(_) => tracing::warn!("the database did not close in time"),
            }
        }
        app.shutdown_timeout(THREADS_END_WITHIN);
        ops.shutdown_timeout(THREADS_END_WITHIN);
        all_finished
    }
}

/// SIGINT and SIGTERM from the moment this exists: one that comes early is not lost.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

fn bind(name: &str, addr: SocketAddr) -> Result<TcpListener, StartError> {
    let listener = TcpListener::bind(addr).map_err(|e| setting(name, format!("{addr}: {e}")))?;
    listener.set_nonblocking(true).map_err(|e| setting(name, e))?;
    Ok(listener)
}

/// Workers are named `app-worker-*`, threads of the blocking pool `app-blocking-*`.
fn app_runtime(workers: usize) -> std::io::Result<Runtime> {
    let started = std::sync::atomic::AtomicUsize::new(0);
    Builder::new_multi_thread()
        .worker_threads(workers)
        .thread_name_fn(move || {
            // Workers are the first threads that a runtime starts.
            match started.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
                n if n < workers => format!("app-worker-{n}"),
                n => format!("app-blocking-{}", n - workers),
            }
        })
        .on_thread_park(telemetry::thread_parks)
        .enable_metrics_poll_time_histogram()
        .enable_all()
        .build()
}

fn ops_runtime() -> std::io::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(OPS_WORKERS)
        .thread_name("ops")
        .on_thread_park(telemetry::thread_parks)
        .enable_metrics_poll_time_histogram()
        .enable_all()
        .build()
}

/// Opens the database, brings its schema up to date and puts the demo rows in.
pub async fn open_database(config: &DatabaseConfig) -> Result<Db, StartError> {
    if let Some(folder) = config.file().as_deref().and_then(Path::parent) {
        std::fs::create_dir_all(folder)
            .map_err(|e| setting("DATABASE_URL", format!("{}: {e}", folder.display())))?;
    }
    let reason = |e: sea_orm::DbErr| setting("DATABASE_URL", format!("{}: {e}", config.url));
    let db = Db::connect(config).await.map_err(reason)?;
    db.migrate().await.map_err(reason)?;
    seed::demo_rows(&db).await.map_err(reason)?;
    Ok(db)
}

fn serve(
    runtime: &Runtime,
    listener: TcpListener,
    router: Router,
    mut stopped: watch::Receiver<bool>,
) -> Result<JoinHandle<std::io::Result<()>>, StartError> {
    let _context = runtime.enter();
    let listener = tokio::net::TcpListener::from_std(listener).map_err(|e| setting("LISTEN", e))?;
    // Small answers must not wait for an acknowledgement.
    let listener = listener.tap_io(|tcp| {
        let _ = tcp.set_nodelay(true);
    });
    let server = axum::serve(listener, router).with_graceful_shutdown(async move {
        let _ = stopped.wait_for(|stop| *stop).await;
    });
    Ok(runtime.spawn(server.into_future()))
}
