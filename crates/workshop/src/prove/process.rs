//! A server process with free ports, a fresh database, and its log in a file. It gets nothing of the
//! caller's environment: what is proven must not depend on who proves it.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    fs::File,
    io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader},
    process::{Child, Command},
    sync::oneshot,
};

use super::Stores;
use crate::evidence::Settings;

/// Limit for the start. A debug build on a busy machine needs a few seconds.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// File of its database, in its own folder.
const DATABASE: &str = "proof.db";

/// A running `serve`. Dropping it kills the process and removes its database, wherever that is.
pub struct ServerProcess {
    pub app: SocketAddr,
    pub ops: SocketAddr,
    errors: Arc<Mutex<String>>,
    child: Child,
    folder: tempfile::TempDir,
    /// After the process: it must be gone before they are.
    stores: Stores,
}

impl ServerProcess {
    /// Starts `program serve` with a lab's settings and stores, and waits until it is ready; its log goes to
    /// `log`.
    pub async fn start(
        program: &Path,
        log: &Path,
        workers: usize,
        settings: &Settings,
        stores: Stores,
    ) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|e| format!("no temporary folder: {e}"))?;
        // The server looks for a .env file here and in every folder above; it ends at the first.
        std::fs::write(folder.path().join(".env"), "")
            .map_err(|e| format!("{}: {e}", folder.path().display()))?;
        let in_file = format!("sqlite://{DATABASE}");
        let mut child = Command::new(program)
            .arg("serve")
            .current_dir(folder.path())
            .env_clear()
            .env("LISTEN", "127.0.0.1:0")
            .env("OPS_LISTEN", "127.0.0.1:0")
            .env("DATABASE_URL", stores.database_url().unwrap_or(in_file))
            .envs(stores.redis_url().map(|url| ("REDIS_URL", url)))
            .env("WORKER_THREADS", workers.to_string())
            .env("LOG_FORMAT", "json")
            .env("RUST_LOG", "info")
            .envs(settings)
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
        let errors = Arc::new(Mutex::new(String::new()));
        let reading = tokio::spawn(keep_errors(BufReader::new(stderr), errors.clone()));
        match tokio::time::timeout(READY_WITHIN, is_ready).await {
            Ok(Ok((app, ops))) => Ok(Self { app, ops, errors, child, folder, stores }),
            Ok(Err(_)) => {
                // It has ended, so its standard error ends too; a reader that failed has less.
                let _ = reading.await;
                let errors = text(&errors);
                Err(format!("the server ended before it was ready: {}", errors.trim()))
            }
            Err(_) => Err(format!("the server was not ready within {READY_WITHIN:?}")),
        }
    }

    /// URL of its database, for who changes its rows.
    pub fn database_url(&self) -> String {
        let file: PathBuf = self.folder.path().join(DATABASE);
        let in_file = || format!("sqlite://{}", file.display());
        self.stores.database_url().unwrap_or_else(in_file)
    }

    /// Message of the last panic, which the server writes to its standard error.
    pub fn last_panic(&self) -> Option<String> {
        let errors = text(&self.errors);
        errors.lines().rfind(|line| line.contains(" panicked at ")).map(str::to_owned)
    }
}

impl Drop for ServerProcess {
    /// Ends the server, and waits for that: whoever goes on may need its cores, its ports and its
    /// files. A killed process ends within milliseconds.
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(pid) = self.child.id().and_then(|pid| pid.try_into().ok())
            && self.child.start_kill().is_ok()
        {
            // It fails if the runtime has seen the end first.
            let _ = nix::sys::wait::waitpid(nix::unistd::Pid::from_raw(pid), None);
        }
    }
}

/// Copies the log, and reports the addresses when their line comes.
async fn keep_log(
    output: BufReader<impl AsyncRead + Unpin>,
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

async fn keep_errors(errors: BufReader<impl AsyncRead + Unpin>, kept: Arc<Mutex<String>>) {
    let mut lines = errors.lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_str(&line);
        kept.push('\n');
    }
}

fn text(errors: &Mutex<String>) -> String {
    errors.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
