//! Transport of exports: TLS for an https endpoint, and HTTP on the exporter's own runtime.

use std::{error::Error, iter::successors, sync::Arc, time::Duration};

use async_trait::async_trait;
use axum::http::{Request, Response};
use bytes::Bytes;
use hyper_rustls::HttpsConnectorBuilder;
use opentelemetry_http::{HttpClient, HttpError, hyper::HyperClient};
use opentelemetry_otlp::tonic_types::transport::ClientTlsConfig;
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use tokio::runtime::Handle;

/// CAs that the system trusts. SSL_CERT_FILE and SSL_CERT_DIR name others.
pub fn of_the_system() -> Result<RootCertStore, String> {
    let mut trusted = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    trusted.add_parsable_certificates(found.certs);
    if trusted.is_empty() {
        let reason = found.errors.first().map(|error| format!(" ({error})")).unwrap_or_default();
        return Err(format!(
            "this system has no CA certificates{reason}: OTEL_EXPORTER_OTLP_CERTIFICATE names some"
        ));
    }
    Ok(trusted)
}

pub fn grpc_tls(trusted: RootCertStore) -> ClientTlsConfig {
    ClientTlsConfig::new().trust_anchors(trusted.roots)
}

/// HTTP client, not reqwest's: with TLS, all clients of `prove` and `stress` load certificates.
pub fn http_client(
    trusted: RootCertStore,
    timeout: Duration,
    runtime: Handle,
) -> Result<impl HttpClient + 'static, rustls::Error> {
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(trusted)
        .with_no_client_auth();
    let connector =
        HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().build();
    Ok(OnRuntime { client: HyperClient::new(connector, timeout, None), runtime })
}

/// HTTP client for a thread without a runtime, such as that of the batch processor.
#[derive(Debug)]
struct OnRuntime<C> {
    client: C,
    runtime: Handle,
}

#[async_trait]
impl<C: HttpClient + Clone + 'static> HttpClient for OnRuntime<C> {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let answer = self.runtime.spawn(async move { client.send_bytes(request).await }).await?;
        // The exporter itself reports only that it is a network error.
        answer.inspect_err(|error| tracing::debug!(error = causes(&**error), "an export failed"))
    }
}

/// Text of an error and of its sources.
fn causes(error: &(dyn Error + 'static)) -> String {
    let causes: Vec<_> =
        successors(Some(error), |&e| e.source()).map(ToString::to_string).collect();
    causes.join(": ")
}
