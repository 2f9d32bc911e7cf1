//! A Redis of the test, which can stop, hang, crash and restart.

use std::{
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use product::{cache::Cache, config::CacheConfig};
use tempfile::TempDir;

/// Ports that are never used for outgoing connections, of which the tests have many: a free port
/// stays free, even while its server is down.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// Limit for the start on a busy machine.
const STARTS_WITHIN: Duration = Duration::from_secs(60);

/// A redis-server on a free port. A killed one loses its data.
pub struct RedisServer {
    port: u16,
    folder: TempDir,
    process: Option<Child>,
}

impl RedisServer {
    pub fn start() -> Self {
        let is_free = |port: &u16| TcpStream::connect(("127.0.0.1", *port)).is_err();
        let port = std::iter::repeat_with(|| fastrand::u16(PORTS)).find(is_free).unwrap();
        let mut server = Self { port, folder: tempfile::tempdir().unwrap(), process: None };
        server.restart();
        server
    }

    pub fn restart(&mut self) {
        let port = self.port.to_string();
        let process = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &port, "--save", "", "--appendonly", "no"])
            .current_dir(&self.folder)
            .stdout(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("redis-server: {error}"));
        self.process = Some(process);
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(started.elapsed() < STARTS_WITHIN, "redis-server does not start");
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }

    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    pub fn signal(&self, signal: Signal) {
        let pid = self.process.as_ref().unwrap().id();
        let pid = Pid::from_raw(i32::try_from(pid).unwrap());
        kill(pid, signal).unwrap();
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub async fn client(&self) -> redis::aio::MultiplexedConnection {
        let client = redis::Client::open(self.url()).unwrap();
        client.get_multiplexed_async_connection().await.unwrap()
    }

    pub async fn cache(&self) -> Cache {
        let config = CacheConfig {
            redis_url: Some(self.url()),
            redis_url_file: None,
            latency_cache: Duration::ZERO,
            bloom_false_positives: 0.01,
        };
        Cache::open(&config).await.unwrap()
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}
