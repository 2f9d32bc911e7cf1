//! OTLP exporter: its transport, and the resource it names. It reads its own variables, and the SDK
//! reads those of the sampler and of the batches.

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry_otlp::{SpanExporter, WithHttpConfig, WithTonicConfig};
use opentelemetry_sdk::{Resource, resource::TelemetryResourceDetector};
use rustls::RootCertStore;
use tokio::runtime::{Builder, Runtime};

use super::transport::{self, grpc_tls, http_client};
use crate::{
    Program,
    settings::{
        Exporter, OtelConfig,
        otel_variables::{of_exporter, pairs, value},
    },
};

/// OpenTelemetry's default for the time that one export may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Builds the exporter, if there is an endpoint, and the runtime of its connection, which is
/// neither the app's, which labs choke, nor that of ops.
pub fn exporter(config: &OtelConfig) -> Result<Option<(SpanExporter, Runtime)>, String> {
    let endpoint = of_exporter("ENDPOINT").filter(|_| config.exporter.0 != Some(Exporter::None));
    let Some(endpoint) = endpoint else { return Ok(None) };
    let error = |reason: &dyn std::fmt::Display| format!("OTEL_EXPORTER_OTLP_ENDPOINT: {reason}");
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("otlp-exporter")
        .enable_all()
        .build()
        .map_err(|e| error(&e))?;
    let trusted = trusted(config, &endpoint).map_err(|e| error(&e))?;
    let exporter = match of_exporter("PROTOCOL").as_deref() {
        Some("grpc") => {
            let _context = runtime.enter();
            let exporter = SpanExporter::builder().with_tonic();
            match trusted {
                Some(trusted) => exporter.with_tls_config(grpc_tls(trusted)).build(),
                None => exporter.build(),
            }
        }
        _ => {
            let trusted = trusted.unwrap_or_else(RootCertStore::empty);
            let client = http_client(trusted, timeout(), runtime.handle().clone());
            let client = client.map_err(|e| error(&e))?;
            SpanExporter::builder().with_http().with_http_client(client).build()
        }
    };
    Ok(Some((exporter.map_err(|e| error(&e))?, runtime)))
}

/// CAs that verify the receiver, which the exporter has no variable for; None without TLS.
fn trusted(config: &OtelConfig, endpoint: &str) -> Result<Option<RootCertStore>, String> {
    let tls = &config.tls;
    match tls.traces_certificate.0.as_ref().or(tls.certificate.0.as_ref()) {
        _ if !endpoint.to_ascii_lowercase().starts_with("https:") => Ok(None),
        Some(trusted) => Ok(Some(trusted.clone())),
        None => transport::of_the_system().map(Some),
    }
}

/// Time that one request of the HTTP client may take: the exporter itself never cancels one.
fn timeout() -> Duration {
    let millis = of_exporter("TIMEOUT").and_then(|millis| millis.parse().ok());
    millis.map_or(TIMEOUT, Duration::from_millis)
}

/// Resource that describes this process in traces. The SDK's own reader of these two variables
/// leaves percent-encoded values as they are.
pub fn resource(program: &Program) -> Resource {
    let mut attributes = vec![
        KeyValue::new("service.name", program.name),
        KeyValue::new("service.version", program.version),
        KeyValue::new("service.instance.id", format!("{:032x}", fastrand::u128(..))),
        KeyValue::new("process.pid", i64::from(std::process::id())),
    ];
    let named = value("OTEL_RESOURCE_ATTRIBUTES").and_then(|text| pairs(&text));
    let named = named.into_iter().flatten();
    attributes.extend(named.map(|(key, value)| KeyValue::new(key, value)));
    attributes.extend(value("OTEL_SERVICE_NAME").map(|name| KeyValue::new("service.name", name)));
    Resource::builder_empty()
        .with_detector(Box::new(TelemetryResourceDetector))
        .with_attributes(attributes)
        .build()
}
