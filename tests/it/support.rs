//! A real server in this process: two runtimes, free ports, a database file of its own.

use std::sync::OnceLock;

use chokepoint::{config::Config, server::Server, telemetry::Telemetry};
use clap::Parser;
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

#[derive(Parser)]
struct Settings {
    #[command(flatten)]
    config: Config,
}

/// Log and recorder belong to the process; its tests share them.
fn telemetry() -> &'static Telemetry {
    static TELEMETRY: OnceLock<Telemetry> = OnceLock::new();
    TELEMETRY.get_or_init(|| Telemetry::init(&settings("sqlite://unused.db", &[])))
}

fn settings(database: &str, more: &[&str]) -> Config {
    let mut args = vec![
        "test",
        "--listen=127.0.0.1:0",
        "--ops-listen=127.0.0.1:0",
        "--worker-threads=2",
        "--shutdown-timeout=1",
        "--rust-log=off",
        "--tokio-console=false",
        "--database-url",
        database,
    ];
    args.extend(more);
    let mut config = Settings::parse_from(&args).config;
    // Not those of whoever runs the tests.
    let is_given = |name: &str| args.iter().any(|arg| arg.starts_with(name));
    config.ops_token = config.ops_token.filter(|_| is_given("--ops-token"));
    config.bare &= is_given("--bare");
    config.database.pool_size = 20;
    config
}

pub struct TestApp {
    server: Option<Server>,
    runtime: Runtime,
    pub http: Client,
    app: String,
    ops: String,
    _folder: TempDir,
}

impl TestApp {
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    pub fn start_with(flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database_url = format!("sqlite://{}", folder.path().join("test.db").display());
        let server = Server::start(&settings(&database_url, flags), telemetry()).unwrap();
        Self {
            app: format!("http://{}", server.app_addr),
            ops: format!("http://{}", server.ops_addr),
            server: Some(server),
            runtime: Runtime::new().unwrap(),
            http: Client::builder().no_proxy().build().unwrap(),

            _folder: folder,
        }
    }

    pub fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    pub fn app(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.app))
    }

    pub fn ops(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.ops))
    }

    pub async fn get(&self, path: &str) -> Response {
        self.app(Method::GET, path).send().await.unwrap()
    }

    pub async fn get_ops(&self, path: &str) -> Response {
        self.ops(Method::GET, path).send().await.unwrap()
    }

    pub async fn metrics(&self) -> String {
        self.get_ops("/metrics").await.text().await.unwrap()
    }

    /// Figures of a lab's variant since the start.
    pub async fn measured(
        &self,
        lab: &str,
        variant: &str,
    ) -> chokepoint::telemetry::measurements::Summary {
        let path = format!("/labs/{lab}/measurements?variant={variant}");
        self.get_ops(&path).await.json().await.unwrap()
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop();
        }
    }
}

/// A header as text, empty if it is missing.
pub fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

/// An error answer, checked to be a problem with the ids that its headers have.
pub async fn problem(response: Response) -> Value {
    assert_eq!(header(&response, "content-type"), "application/problem+json");
    let status = response.status().as_u16();
    let ids = ["x-request-id", "x-trace-id"].map(|name| header(&response, name).to_owned());
    let problem: Value = response.json().await.unwrap();
    assert_eq!(problem["status"], status);
    assert_eq!(problem["request_id"], ids[0].as_str());
    assert_eq!(problem["trace_id"], ids[1].as_str());
    problem
}
