//! A server process with free ports, a fresh database, and its log in a file.

use std::{net::SocketAddr, path::Path, process::Stdio, time::Duration};

use tokio::{
    fs::File,
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, Command},
    sync::oneshot,
};

/// Limit for the start. A debug build on a busy machine needs a few seconds.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// A running `serve`. Dropping it kills the process and removes its database.
pub struct ServerProcess {
    pub app: SocketAddr,
    pub ops: SocketAddr,
    _child: Child,
    _folder: tempfile::TempDir,
}

/// Settings that are removed: they must not leak in from the environment or a `.env` file.
const OWN_SETTINGS: [&str; 6] =
    ["OPS_TOKEN", "OPS_TOKEN_FILE", "DATABASE_URL_FILE", "BARE", "TOKIO_CONSOLE", "DB_POOL_SIZE"];

impl ServerProcess {
    /// Starts `program serve` and waits until it is ready; its log goes to `log`.
    pub async fn start(program: &Path, log: &Path, workers: usize) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|e| format!("no temporary folder: {e}"))?;
        let mut command = Command::new(program);
        for name in OWN_SETTINGS {
            command.env_remove(name);
        }
        let mut child = command
            .arg("serve")
            .current_dir(folder.path())
            .env("LISTEN", "127.0.0.1:0")
            .env("OPS_LISTEN", "127.0.0.1:0")
            .env("DATABASE_URL", "sqlite://proof.db")
            .env("WORKER_THREADS", workers.to_string())
            .env("LOG_FORMAT", "json")
            .env("RUST_LOG", "info")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|e| format!("{} can't be started: {e}", program.display()))?;
        let stdout = child.stdout.take().ok_or("the server has no standard output")?;
        let stderr = child.stderr.take().ok_or("the server has no standard error")?;
        let log = File::create(log).await.map_err(|e| format!("{}: {e}", log.display()))?;
        let (ready, is_ready) = oneshot::channel();
        tokio::spawn(keep_log(BufReader::new(stdout), log, ready));
        let errors = tokio::spawn(read_errors(BufReader::new(stderr)));
        match tokio::time::timeout(READY_WITHIN, is_ready).await {
            Ok(Ok((app, ops))) => Ok(Self { app, ops, _child: child, _folder: folder }),
            Ok(Err(_)) => {
                let errors = errors.await.unwrap_or_default();
                Err(format!("the server ended before it was ready: {}", errors.trim()))
            }
            Err(_) => Err(format!("the server was not ready within {READY_WITHIN:?}")),
        }
    }
}

/// Copies the log, and reports the addresses when their line comes.
async fn keep_log(
    output: BufReader<impl tokio::io::AsyncRead + Unpin>,
    mut log: File,
    ready: oneshot::Sender<(SocketAddr, SocketAddr)>,
) {
    let mut ready = Some(ready);
    let mut lines = output.lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if ready.is_some()
            && let Some(addresses) = addresses(&line)
            && let Some(ready) = ready.take()
        {
            // The receiver is gone if the line came too late.
            let _ = ready.send(addresses);
        }
        if log.write_all(format!("{line}\n").as_bytes()).await.is_err() {
            return;
        }
    }
}

fn addresses(line: &str) -> Option<(SocketAddr, SocketAddr)> {
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    let fields = line.get("fields").filter(|f| f["message"] == "ready")?;
    Some((fields["app"].as_str()?.parse().ok()?, fields["ops"].as_str()?.parse().ok()?))
}

async fn read_errors(mut errors: BufReader<impl tokio::io::AsyncRead + Unpin>) -> String {
    let mut text = String::new();
    let _ = tokio::io::AsyncReadExt::read_to_string(&mut errors, &mut text).await;
    text
}
