//! `health`: checks that a server is ready, so that a container needs no curl.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    process::ExitCode,
    time::Duration,
};

use super::say;

/// Longer than the server waits for its own dependencies.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);

#[derive(clap::Args)]
pub struct Args {
    /// Address of the server's app port
    #[arg(long, env, default_value = "127.0.0.1:8000", value_name = "ADDR")]
    listen: SocketAddr,
}

pub fn run(args: &Args) -> Result<ExitCode, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let url = format!("http://{}/health/ready", reachable(args.listen));
    match runtime.map_err(|e| e.to_string())?.block_on(ask(&url)) {
        Ok(()) => {
            say("ready");
            Ok(ExitCode::SUCCESS)
        }
        Err(reason) => {
            eprintln!("not ready: {reason}");
            Ok(ExitCode::FAILURE)
        }
    }
}

async fn ask(url: &str) -> Result<(), String> {
    let client = reqwest::Client::builder().timeout(ANSWER_WITHIN).no_proxy().build();
    let client = client.map_err(|e| e.to_string())?;
    let response = client.get(url).send().await.map_err(|_| format!("{url}: no answer"))?;
    if response.status() == reqwest::StatusCode::OK {
        return Ok(());
    }
    let status = response.status();
    Err(format!("{status}: {}", response.text().await.unwrap_or_default()))
}

/// Address to connect to: loopback if the server listens on every address.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}
