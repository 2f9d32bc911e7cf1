//! A real server in this process: two runtimes, free ports, its own database.

use std::sync::{Arc, OnceLock};

use clap::Parser;
use observe::Telemetry;
use product::{config::Config, db::Db};
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::Value;
use server::lifecycle::Server;
use tokio::runtime::Runtime;
use workshop::{Labs, LoadedLab, request::Caller};

use crate::backends::BackEnds;

#[derive(Parser)]
#[command(args_override_self = true)]
struct Settings {
    #[command(flatten)]
    config: Config,
}

/// Telemetry of the process, which its tests share: log and recorder are global.
fn telemetry() -> &'static Telemetry {
    static TELEMETRY: OnceLock<Telemetry> = OnceLock::new();
    TELEMETRY.get_or_init(|| {
        let unused = settings(&["--database-url=sqlite://unused.db"]);
        Telemetry::init(&server::PROGRAM, &unused.observe).unwrap()
    })
}

fn settings(more: &[&str]) -> Config {
    let mut args = vec![
        "test",
        "--listen=127.0.0.1:0",
        "--ops-listen=127.0.0.1:0",
        "--worker-threads=2",
        "--shutdown-timeout=1",
        "--rust-log=off",
        "--tokio-console=false",
        "--insecure=true",
        "--bcrypt-cost=4",
        "--rate-limit-login=off",
        "--rate-limit-login-address=off",
        "--rate-limit-register=off",
        "--rate-limit-api=off",
    ];
    args.extend(more);
    let mut config = Settings::parse_from(&args).config;
    // The settings of the environment are not used.
    let is_given = |name: &str| args.iter().any(|arg| arg.starts_with(name));
    config.ops_token = config.ops_token.filter(|_| is_given("--ops-token"));
    config.auth.jwt_secret = config.auth.jwt_secret.filter(|_| is_given("--jwt-secret"));
    config.cache.redis_url = config.cache.redis_url.filter(|_| is_given("--redis-url"));
    config.bare &= is_given("--bare");
    config.database.pool_size = 20;
    config
}

/// The labs of this repository.
pub fn labs() -> Labs {
    Labs::load(&chokepoint::labs::CATALOGUE).unwrap()
}

pub struct TestApp {
    server: Option<Server>,
    runtime: Runtime,
    pub http: Client,
    app: String,
    ops: String,
    back_ends: Arc<BackEnds>,
}

impl TestApp {
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    pub fn start_with(flags: &[&str]) -> Self {
        Self::start_on(Arc::new(BackEnds::new()), flags)
    }

    /// Starts a second instance with the same database, and the same Redis if there is one.
    pub fn start_beside(other: &Self, flags: &[&str]) -> Self {
        Self::start_on(other.back_ends.clone(), flags)
    }

    pub fn start_on(back_ends: Arc<BackEnds>, flags: &[&str]) -> Self {
        Self::serve(labs(), back_ends, flags)
    }

    /// Starts a server with a catalogue of the test's own.
    pub fn start_with_labs(labs: Labs) -> Self {
        Self::serve(labs, Arc::new(BackEnds::new()), &[])
    }

    fn serve(labs: Labs, back_ends: Arc<BackEnds>, flags: &[&str]) -> Self {
        let of_back_ends = back_ends.flags();
        let flags: Vec<_> =
            of_back_ends.iter().map(String::as_str).chain(flags.iter().copied()).collect();
        let server = Server::start(&settings(&flags), telemetry(), labs).unwrap();
        Self {
            app: format!("http://{}", server.app_addr),
            ops: format!("http://{}", server.ops_addr),
            server: Some(server),
            runtime: Runtime::new().unwrap(),
            http: Client::builder().no_proxy().build().unwrap(),
            back_ends,
        }
    }

    pub fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// The database, through the test's own pool.
    pub async fn db(&self) -> Db {
        Db::connect(&self.back_ends.database(20)).await.unwrap()
    }

    pub fn app(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.app))
    }

    pub fn ops(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.ops))
    }

    pub fn ops_url(&self) -> &str {
        &self.ops
    }

    /// URL for programs that load the server.
    pub fn url(&self) -> String {
        self.app.clone()
    }

    /// Template of every path that the app serves. axum does not promise to print them like this;
    /// if it changes, none are found.
    pub fn paths(&self) -> Vec<String> {
        let printed = &self.server.as_ref().unwrap().app_routes;
        let (_, paths) = printed.split_once("node: Node { paths: {").unwrap();
        let (paths, _) = paths.split_once("fallback_router").unwrap();
        let quoted = paths.split('"').skip(1).step_by(2);
        quoted.map(str::to_owned).collect()
    }

    pub async fn get(&self, path: &str) -> Response {
        self.app(Method::GET, path).send().await.unwrap()
    }

    /// Sends a lab's request to a variant, as lab.json describes it.
    pub async fn ask(&self, loaded: &LoadedLab, variant: &str) -> Response {
        let caller = Caller::new(self.http.clone(), self.url(), &loaded.evidence, 1).await;
        caller.unwrap().request(variant, 1).unwrap().send().await.unwrap()
    }

    pub async fn get_ops(&self, path: &str) -> Response {
        self.ops(Method::GET, path).send().await.unwrap()
    }

    pub async fn metrics(&self) -> String {
        self.get_ops("/metrics").await.text().await.unwrap()
    }

    /// Figures of a lab's variant since the start.
    pub async fn measured(&self, lab: &str, variant: &str) -> observe::measurements::Summary {
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

/// Header as text, empty if it is missing.
pub fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

/// Error body, checked to be a problem with the ids of its headers.
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

/// A user who is logged in.
#[derive(Clone, Debug, serde::Deserialize)]
pub struct Session {
    #[serde(rename = "access_token")]
    pub token: String,
    pub refresh_token: String,
    pub user_id: i64,
    pub email: String,
}

/// Password of every user of `sign_up`.
pub const PASSWORD: &str = "correct horse";

impl TestApp {
    /// Registers a user. `name` must be unused in this database.
    pub async fn sign_up(&self, name: &str) -> Session {
        let body = serde_json::json!({
            "username": name, "email": format!("{name}@example.com"), "password": PASSWORD,
        });
        let answer = self.app(Method::POST, "/api/v2/auth/register").json(&body).send().await;
        let answer = answer.unwrap();
        assert_eq!(answer.status(), 201, "{name}");
        answer.json().await.unwrap()
    }

    /// Request with the user's access token.
    pub fn as_user(&self, session: &Session, method: Method, path: &str) -> RequestBuilder {
        self.app(method, path).bearer_auth(&session.token)
    }
}
