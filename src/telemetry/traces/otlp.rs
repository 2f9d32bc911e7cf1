//! The OTLP exporter: to whom, how, and as whom.

use std::{collections::HashMap, time::Duration};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::KeyValue;
use opentelemetry_otlp::{
    SpanExporter, WithExportConfig, WithHttpConfig, WithTonicConfig,
    tonic_types::metadata::MetadataMap,
};
use opentelemetry_sdk::{Resource, resource::TelemetryResourceDetector};
use tokio::runtime::{Builder, Runtime};

use crate::config::{OtelConfig, Pairs, Protocol};

const TIMEOUT: Duration = Duration::from_secs(10);

/// What OTLP over HTTP appends to the endpoint of all signals.
const TRACES_PATH: &str = "/v1/traces";

/// A receiver, and how to speak to it.
pub struct Target {
    endpoint: String,
    protocol: Protocol,
    headers: Pairs,
    timeout: Duration,
}

impl Target {
    /// None without an endpoint. What is set for traces goes before what is set for all signals.
    pub fn of(config: &OtelConfig) -> Option<Self> {
        let protocol = config.traces_protocol.0.or(config.protocol.0);
        let protocol = protocol.unwrap_or(Protocol::HttpProtobuf);
        let endpoint = match (&config.traces_endpoint.0, &config.endpoint.0, protocol) {
            (Some(own), ..) => own.clone(),
            (None, Some(all), Protocol::Grpc) => all.clone(),
            (None, Some(all), Protocol::HttpProtobuf) => format!("{all}{TRACES_PATH}"),
            (None, None, _) => return None,
        };
        let headers = config.traces_headers.0.clone().or_else(|| config.headers.0.clone());
        let timeout = config.traces_timeout.0.or(config.timeout.0).or(config.export_timeout.0);
        Some(Self {
            endpoint,
            protocol,
            headers: headers.unwrap_or_default(),
            timeout: timeout.unwrap_or(TIMEOUT),
        })
    }
}

/// The exporter, and the runtime that carries its connection if it needs one: neither the app's, which
/// labs choke, nor that of ops.
pub fn exporter(target: &Target) -> Result<(SpanExporter, Option<Runtime>), String> {
    let error = |reason: &dyn std::fmt::Display| format!("OTEL_EXPORTER_OTLP_ENDPOINT: {reason}");
    match target.protocol {
        Protocol::HttpProtobuf => {
            let headers: HashMap<_, _> = target.headers.iter().cloned().collect();
            let exporter = SpanExporter::builder()
                .with_http()
                .with_protocol(opentelemetry_otlp::Protocol::HttpBinary)
                .with_endpoint(&target.endpoint)
                .with_timeout(target.timeout)
                .with_headers(headers)
                .build();
            Ok((exporter.map_err(|e| error(&e))?, None))
        }
        Protocol::Grpc => {
            let runtime = Builder::new_multi_thread()
                .worker_threads(1)
                .thread_name("otlp-exporter")
                .enable_all()
                .build()
                .map_err(|e| error(&e))?;
            let _context = runtime.enter();
            let exporter = SpanExporter::builder()
                .with_tonic()
                .with_endpoint(&target.endpoint)
                .with_timeout(target.timeout)
                .with_metadata(metadata(&target.headers)?)
                .build()
                .map_err(|e| error(&e))?;
            drop(_context);
            Ok((exporter, Some(runtime)))
        }
    }
}

fn metadata(headers: &Pairs) -> Result<MetadataMap, String> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        // Without the value, which may be a token.
        let bad = || format!("OTEL_EXPORTER_OTLP_HEADERS: {name:?} or its value can't be a header");
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
        map.insert(name.clone(), HeaderValue::from_str(value).map_err(|_| bad())?);
    }
    Ok(MetadataMap::from_headers(map))
}

/// This process, as traces name it.
pub fn resource(config: &OtelConfig) -> Resource {
    let mut attributes = vec![
        KeyValue::new("service.name", "chokepoint"),
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("service.instance.id", format!("{:032x}", fastrand::u128(..))),
        KeyValue::new("process.pid", i64::from(std::process::id())),
    ];
    let named = config.resource_attributes.0.iter().flatten();
    attributes.extend(named.map(|(key, value)| KeyValue::new(key.clone(), value.clone())));
    if let Some(name) = &config.service_name.0 {
        attributes.push(KeyValue::new("service.name", name.clone()));
    }
    Resource::builder_empty()
        .with_detector(Box::new(TelemetryResourceDetector))
        .with_attributes(attributes)
        .build()
}
