//! An axum app of three lines, watched: request cost in `Server-Timing`, and on a second port metrics,
//! profiles, recent traces and blocked polls. `LISTEN` and `OPS_LISTEN` say where; both are loopback.

use std::{env, error::Error, sync::Arc};

use axum::{Router, routing::get};
use chokepoint_observe::{
    Program, Telemetry, html, http::Observe, labels::RouteLabels, live::Live, metrics_layer,
    ops::Ops, route_metrics::Routes, runtime::PoolUse, runtime::Runtimes, settings::Settings,
    thread_parks,
};
use clap::Parser;
use tokio::{net::TcpListener, runtime};

const PROGRAM: Program =
    Program { name: "foreign", version: "1.0", targets: &["foreign_app"], metrics: &[] };

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    settings: Settings,
}

async fn sum() -> String {
    (0..3_000_000_u64).fold(0, |sum: u64, n| std::hint::black_box(sum + n)).to_string()
}

fn main() -> Result<(), Box<dyn Error>> {
    let telemetry = Telemetry::init(&PROGRAM, &Cli::parse().settings)?;
    // Two runtimes: the second port answers while every worker of the app is held.
    let runtime = |name| {
        let mut builder = runtime::Builder::new_multi_thread();
        builder.thread_name(name).on_thread_park(thread_parks).enable_all().build()
    };
    let (app, ops) = (runtime("app-worker")?, runtime("ops")?);
    let runtimes = Runtimes { app: app.handle().clone(), ops: ops.handle().clone() };
    runtimes.watch(PoolUse::default, telemetry.metrics.clone());

    let (blocked, labels) = (Arc::default(), Arc::new(RouteLabels::default()));
    let routes = Arc::new(Routes::new(labels.clone(), [], Arc::clone(&blocked)));
    let sampler = telemetry.traces.sampler();
    let live = Live { routes: routes.clone(), workers: Arc::default() };
    let observe = Observe::app(telemetry.access.clone(), routes, sampler);
    let foreign = Router::new().route("/sum", get(sum)).layer((observe, metrics_layer::layer()));
    let (metrics, traces) = (telemetry.metrics.clone(), telemetry.recent_traces.clone());
    let (captures, before_scrape) = (Arc::default(), || ());
    let shown = Ops { metrics, runtimes, traces, captures, blocked, labels, live, before_scrape };
    let pages = chokepoint_observe::ops::router(shown).merge(html::look());

    let listen = |name| env::var(name).unwrap_or_else(|_| "127.0.0.1:0".to_owned());
    let to_ops = ops.block_on(TcpListener::bind(listen("OPS_LISTEN")))?;
    let to_app = app.block_on(TcpListener::bind(listen("LISTEN")))?;
    eprintln!("app http://{}/sum ops http://{}", to_app.local_addr()?, to_ops.local_addr()?);
    ops.spawn(async { axum::serve(to_ops, pages.layer(Observe::ops())).await });
    Ok(app.block_on(async { axum::serve(to_app, foreign).await })?)
}
