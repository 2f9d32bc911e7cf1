//! An OTLP receiver on the official protobufs, over gRPC and HTTP. It stores what it gets.

use std::{
    collections::BTreeMap,
    io::Read,
    net::SocketAddr,
    sync::{Arc, Condvar, Mutex},
    time::{Duration, Instant},
};

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode},
    routing::post,
};
use flate2::read::GzDecoder;
use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    common::v1::{KeyValue, any_value::Value},
    trace::v1::Span,
};
use prost::Message;
use tokio::{net::TcpListener, runtime::Runtime};
use tonic::{
    Request, Response, Status,
    codec::CompressionEncoding,
    transport::{Identity, ServerTlsConfig, server::TcpIncoming},
};

use super::{Authority, TlsListener, authority::Shown};

/// Limit for spans to arrive. Only a failing test waits that long.
const PATIENCE: Duration = Duration::from_secs(20);

/// A span, with its attributes and those of its resource.
#[derive(Clone, Debug)]
pub struct Received {
    pub span: Span,
    pub attributes: BTreeMap<String, Value>,
    pub resource: BTreeMap<String, Value>,
}

impl Received {
    pub fn text(&self, name: &str) -> &str {
        match self.attributes.get(name) {
            Some(Value::StringValue(text)) => text,
            None => "",
            other => panic!("{name} is {other:?}"),
        }
    }

    pub fn int(&self, name: &str) -> i64 {
        match self.attributes.get(name) {
            Some(Value::IntValue(n)) => *n,
            other => panic!("{name} is {other:?}"),
        }
    }

    pub fn trace(&self) -> String {
        hex(&self.span.trace_id)
    }

    pub fn status(&self) -> i32 {
        self.span.status.as_ref().map_or(0, |status| status.code)
    }
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[derive(Default)]
struct Got {
    spans: Vec<Received>,
    headers: Vec<HeaderMap>,
}

#[derive(Clone, Default)]
struct Kept(Arc<(Mutex<Got>, Condvar)>);

impl Kept {
    fn keep(&self, export: ExportTraceServiceRequest, headers: HeaderMap) {
        let map = |pairs: &[KeyValue]| {
            let pair = |kv: &KeyValue| Some((kv.key.clone(), kv.value.clone()?.value?));
            pairs.iter().filter_map(pair).collect::<BTreeMap<_, _>>()
        };
        let mut got = self.0.0.lock().unwrap();
        got.headers.push(headers);
        for resource_spans in export.resource_spans {
            let resource = map(&resource_spans.resource.unwrap().attributes);
            for span in resource_spans.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                let attributes = map(&span.attributes);
                got.spans.push(Received { span, attributes, resource: resource.clone() });
            }
        }
        self.0.1.notify_all();
    }
}

#[tonic::async_trait]
impl TraceService for Kept {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let (metadata, _, export) = request.into_parts();
        self.keep(export, metadata.into_headers());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

pub struct Receiver {
    pub addr: SocketAddr,
    scheme: &'static str,
    kept: Kept,
    _runtime: Runtime,
}

impl Receiver {
    pub fn grpc() -> Self {
        Self::of("grpc", None)
    }

    pub fn http() -> Self {
        Self::of("http/protobuf", None)
    }

    /// Starts a receiver, over TLS if there is an authority.
    pub fn of(protocol: &str, authority: Option<&Authority>) -> Self {
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let (addr, kept) = (listener.local_addr().unwrap(), Kept::default());
        let shown = authority.map(Authority::shown);
        let scheme = if shown.is_some() { "https" } else { "http" };
        match protocol {
            "grpc" => drop(runtime.spawn(serve_grpc(kept.clone(), listener, shown))),
            "http/protobuf" => drop(runtime.spawn(serve_http(kept.clone(), listener, shown))),
            _ => panic!("{protocol}"),
        }
        Self { addr, scheme, kept, _runtime: runtime }
    }

    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.addr)
    }

    /// Waits until this holds, and returns every span so far.
    pub fn wait_for(&self, holds: impl Fn(&[Received]) -> bool) -> Vec<Received> {
        let until = Instant::now() + PATIENCE;
        let mut got = self.kept.0.0.lock().unwrap();
        while !holds(&got.spans) {
            let left = until.saturating_duration_since(Instant::now());
            let names: Vec<_> = got.spans.iter().map(|s| s.span.name.clone()).collect();
            assert!(!left.is_zero(), "not received; there are {names:?}");
            got = self.kept.0.1.wait_timeout(got, left).unwrap().0;
        }
        got.spans.clone()
    }

    /// Waits for the request's span, which ends last, and returns the spans of its trace.
    pub fn trace(&self, id: &str) -> Vec<Received> {
        let is_of_it = |span: &&Received| span.trace() == id;
        let is_whole =
            |spans: &[Received]| spans.iter().filter(is_of_it).any(|span| span.span.kind == SERVER);
        self.wait_for(is_whole).iter().filter(is_of_it).cloned().collect()
    }

    /// Spans that have arrived so far.
    pub fn spans(&self) -> Vec<Received> {
        self.kept.0.0.lock().unwrap().spans.clone()
    }

    /// Headers of every export so far.
    pub fn headers(&self) -> Vec<HeaderMap> {
        self.kept.0.0.lock().unwrap().headers.clone()
    }
}

async fn serve_grpc(kept: Kept, listener: TcpListener, shown: Option<Shown>) {
    let mut server = tonic::transport::Server::builder();
    if let Some(Shown { certificate, key }) = shown {
        let identity = Identity::from_pem(certificate.pem(), key.serialize_pem());
        server = server.tls_config(ServerTlsConfig::new().identity(identity)).unwrap();
    }
    let service = TraceServiceServer::new(kept).accept_compressed(CompressionEncoding::Gzip);
    let server = server.add_service(service);
    server.serve_with_incoming(TcpIncoming::from(listener)).await.unwrap();
}

async fn serve_http(kept: Kept, listener: TcpListener, shown: Option<Shown>) {
    let router = axum::Router::new().route("/v1/traces", post(export)).with_state(kept);
    match shown {
        Some(shown) => axum::serve(TlsListener::new(listener, &shown), router).await.unwrap(),
        None => axum::serve(listener, router).await.unwrap(),
    }
}

async fn export(
    State(kept): State<Kept>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<&'static str, StatusCode> {
    let is_protobuf = headers.get("content-type").is_some_and(|t| t == "application/x-protobuf");
    let mut plain = Vec::new();
    match headers.get("content-encoding").map(HeaderValue::as_bytes) {
        None => plain.extend_from_slice(&body),
        Some(b"gzip") => {
            let read = GzDecoder::new(&body[..]).read_to_end(&mut plain);
            read.map_err(|_| StatusCode::BAD_REQUEST)?;
        }
        Some(_) => return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE),
    }
    let export = ExportTraceServiceRequest::decode(&plain[..]).ok().filter(|_| is_protobuf);
    kept.keep(export.ok_or(StatusCode::BAD_REQUEST)?, headers);
    Ok("")
}

/// Kinds and statuses, as numbered in the protobufs.
pub const INTERNAL: i32 = 1;
pub const SERVER: i32 = 2;
pub const CLIENT: i32 = 3;
pub const UNSET: i32 = 0;
pub const ERROR: i32 = 2;
