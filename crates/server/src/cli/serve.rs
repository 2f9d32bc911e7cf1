//! `serve`: starts the server, reports its addresses, and stops it on a signal.

use std::{
    net::{SocketAddr, TcpListener},
    process::ExitCode,
};

use super::{Catalogue, banner};
use crate::{PROGRAM, lifecycle::Server};
use observe::{Telemetry, logs, shown::escape_panics};
use product::config::{Config, warn_of_old_names};
use workshop::Labs;

pub fn run(config: &Config, catalogue: Catalogue) -> Result<ExitCode, String> {
    if config.observe.tokio_console {
        // Otherwise the console's own thread would panic and the server would run on without it.
        let addr = SocketAddr::from(logs::CONSOLE);
        TcpListener::bind(addr).map_err(|e| format!("TOKIO_CONSOLE: {addr}: {e}"))?;
    }
    escape_panics();
    let telemetry = Telemetry::init(&PROGRAM, &config.observe)?;
    warn_of_old_names();
    let labs = Labs::load(catalogue).map_err(|e| e.to_string())?;
    let mut server = Server::start(config, &telemetry, labs).map_err(|error| error.to_string())?;
    // Programs read the addresses from this line; people read the banner.
    let Server { app_addr, ops_addr, upstream_addr, .. } = &server;
    tracing::info!(app = %app_addr, ops = %ops_addr, upstream = %upstream_addr, "ready");
    banner::print(config, &server, catalogue);
    server.wait_for_signal();
    tracing::info!("stopping: requests in flight may finish");
    let all_finished = server.stop();
    telemetry.traces.flush();
    if !all_finished {
        tracing::warn!("requests were left without a whole answer");
    }
    tracing::info!("stopped");
    Ok(if all_finished { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
