//! Banner on the terminal when the server is up: addresses, commands to try, and what is off.

use std::io::{IsTerminal, stdout};

use super::{Catalogue, say};
use crate::lifecycle::Server;
use product::config::{Config, Rate};

/// Prints only on a terminal: elsewhere standard output is the log.
pub fn print(config: &Config, server: &Server, catalogue: Catalogue) {
    if stdout().is_terminal() {
        say(text(config, server, catalogue));
    }
}

fn text(config: &Config, server: &Server, catalogue: Catalogue) -> String {
    let Server { app_addr, ops_addr, .. } = server;
    let lab = catalogue.first().map_or("", |lab| lab.id);
    let mut off = Vec::new();
    if !config.observe.tokio_console {
        off.push("tokio-console: TOKIO_CONSOLE=1, then `tokio-console`");
    }
    if config.ops_token().is_none() {
        off.push("ops token: OPS_TOKEN=… (needed when OPS_LISTEN is not on loopback)");
    }
    let limits = &config.limits;
    for (Rate(limit), line) in [
        (limits.rate_limit_login, "limit of logins: RATE_LIMIT_LOGIN=10/min"),
        (
            limits.rate_limit_login_address,
            "limit of logins by address: RATE_LIMIT_LOGIN_ADDRESS=120/min",
        ),
        (limits.rate_limit_register, "limit of registrations: RATE_LIMIT_REGISTER=30/min"),
        (limits.rate_limit_api, "limit of requests by user: RATE_LIMIT_API=6000/min"),
    ] {
        if limit.is_none() {
            off.push(line);
        }
    }
    if config.bare {
        off.push("ids, request cost, metrics and access log: leave out --bare");
    }
    let off = if off.is_empty() { "nothing".to_owned() } else { off.join("\n         ") };
    format!(
        "
  Chokepoint {version} is up, {workers} app workers, {database}

  App    http://{app_addr}/
  Labs   http://{ops_addr}/        metrics, flame graphs, lab texts

  Try    curl -i http://{app_addr}/api/posts/v1/slow
         curl -i http://{app_addr}/api/posts/v2/fast
         k6 run -e LAB={lab} -e VARIANT=slow k6/lab.js
         open 'http://{ops_addr}/debug/pprof/flamegraph?seconds=5&mode=wall'
         chokepoint prove {lab}

  Off    {off}
",
        version = env!("CARGO_PKG_VERSION"),
        workers = config.worker_threads(),
        database = config.database.shown(),
    )
}
