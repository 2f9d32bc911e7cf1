//! OTLP exporter: its receiver, its protocol, and the resource it names.

use std::{collections::HashMap, time::Duration};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::KeyValue;
use opentelemetry_otlp::{
    SpanExporter, WithExportConfig, WithHttpConfig, WithTonicConfig,
    tonic_types::metadata::MetadataMap,
};
use opentelemetry_sdk::{Resource, resource::TelemetryResourceDetector};
use rustls::RootCertStore;
use tokio::runtime::{Builder, Runtime};

use super::transport::{self, grpc_tls, http_client};
use crate::Program;
use crate::settings::{Compression, OtelConfig, Pairs, Protocol};

const TIMEOUT: Duration = Duration::from_secs(10);

/// Path that OTLP over HTTP appends to the endpoint of all signals.
const TRACES_PATH: &str = "/v1/traces";

/// OTLP receiver, and the settings of its connection.
pub struct Target {
    endpoint: String,
    protocol: Protocol,
    compression: Option<opentelemetry_otlp::Compression>,
    /// CAs instead of those of the system.
    trusted: Option<RootCertStore>,
    headers: Pairs,
    timeout: Duration,
}

impl Target {
    /// Reads the target, if there is an endpoint. Settings of traces overrule those of all signals.
    pub fn of(config: &OtelConfig) -> Option<Self> {
        let protocol = config.traces_protocol.0.or(config.protocol.0);
        let protocol = protocol.unwrap_or(Protocol::HttpProtobuf);
        let endpoint = match (&config.traces_endpoint.0, &config.endpoint.0, protocol) {
            (Some(own), ..) => own.clone(),
            (None, Some(all), Protocol::Grpc) => all.clone(),
            (None, Some(all), Protocol::HttpProtobuf) => format!("{all}{TRACES_PATH}"),
            (None, None, _) => return None,
        };
        let gzip = config.traces_compression.0.or(config.compression.0) == Some(Compression::Gzip);
        let tls = &config.tls;
        let trusted = tls.traces_certificate.0.as_ref().or(tls.certificate.0.as_ref());
        let headers = config.traces_headers.0.clone().or_else(|| config.headers.0.clone());
        let timeout = config.traces_timeout.0.or(config.timeout.0).or(config.export_timeout.0);
        Some(Self {
            endpoint,
            protocol,
            compression: gzip.then_some(opentelemetry_otlp::Compression::Gzip),
            trusted: trusted.cloned(),
            headers: headers.unwrap_or_default(),
            timeout: timeout.unwrap_or(TIMEOUT),
        })
    }

    /// CAs that verify the receiver; None without TLS.
    fn trusted(&self) -> Result<Option<RootCertStore>, String> {
        match &self.trusted {
            _ if !self.endpoint.starts_with("https:") => Ok(None),
            Some(trusted) => Ok(Some(trusted.clone())),
            None => transport::of_the_system().map(Some),
        }
    }
}

/// Builds the exporter and the runtime of its connection, which is neither the app's, which labs
/// choke, nor that of ops.
pub fn exporter(target: &Target) -> Result<(SpanExporter, Runtime), String> {
    let error = |reason: &dyn std::fmt::Display| format!("OTEL_EXPORTER_OTLP_ENDPOINT: {reason}");
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("otlp-exporter")
        .enable_all()
        .build()
        .map_err(|e| error(&e))?;
    let trusted = target.trusted().map_err(|e| error(&e))?;
    let exporter = match target.protocol {
        Protocol::HttpProtobuf => {
            let trusted = trusted.unwrap_or_else(RootCertStore::empty);
            let client = http_client(trusted, target.timeout, runtime.handle().clone());
            let headers: HashMap<_, _> = target.headers.iter().cloned().collect();
            let mut exporter = SpanExporter::builder()
                .with_http()
                .with_http_client(client.map_err(|e| error(&e))?)
                .with_protocol(opentelemetry_otlp::Protocol::HttpBinary)
                .with_endpoint(&target.endpoint)
                .with_timeout(target.timeout)
                .with_headers(headers);
            if let Some(compression) = target.compression {
                exporter = exporter.with_compression(compression);
            }
            exporter.build()
        }
        Protocol::Grpc => {
            let _context = runtime.enter();
            let mut exporter = SpanExporter::builder()
                .with_tonic()
                .with_endpoint(&target.endpoint)
                .with_timeout(target.timeout)
                .with_metadata(metadata(&target.headers)?);
            if let Some(trusted) = trusted {
                exporter = exporter.with_tls_config(grpc_tls(trusted));
            }
            if let Some(compression) = target.compression {
                exporter = exporter.with_compression(compression);
            }
            exporter.build()
        }
    };
    Ok((exporter.map_err(|e| error(&e))?, runtime))
}

fn metadata(headers: &Pairs) -> Result<MetadataMap, String> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        // The message omits the value, which may be a token.
        let bad = || format!("OTEL_EXPORTER_OTLP_HEADERS: {name:?} or its value can't be a header");
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
        map.insert(name.clone(), HeaderValue::from_str(value).map_err(|_| bad())?);
    }
    Ok(MetadataMap::from_headers(map))
}

/// Resource that describes this process in traces.
pub fn resource(program: &Program, config: &OtelConfig) -> Resource {
    let mut attributes = vec![
        KeyValue::new("service.name", program.name),
        KeyValue::new("service.version", program.version),
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
