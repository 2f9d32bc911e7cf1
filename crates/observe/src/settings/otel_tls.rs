//! CAs that the exporter trusts over https. The value of a setting is the content of its file.

use std::fs;

use clap::Args;
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

use super::otel::{Given, given};

#[derive(Args, Clone, Debug)]
pub struct OtelTlsConfig {
    /// PEM file of the CAs that verify an https endpoint [default: those of the system]
    #[arg(long = "otel-exporter-otlp-certificate", env = "OTEL_EXPORTER_OTLP_CERTIFICATE",
          value_name = "FILE", default_value = "", hide_default_value = true,
          value_parser = given(authorities))]
    pub certificate: Given<RootCertStore>,

    /// The same for traces alone
    #[arg(long = "otel-exporter-otlp-traces-certificate",
          env = "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", value_name = "FILE", default_value = "",
          hide_default_value = true, value_parser = given(authorities))]
    pub traces_certificate: Given<RootCertStore>,

    /// Client certificate. Refused, not ignored: this server presents none
    #[arg(long = "otel-exporter-otlp-client-certificate", hide = true,
          env = "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", default_value = "",
          value_parser = given(of_client))]
    pub client_certificate: Given<()>,

    /// The same for traces alone
    #[arg(long = "otel-exporter-otlp-traces-client-certificate", hide = true,
          env = "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE", default_value = "",
          value_parser = given(of_client))]
    pub traces_client_certificate: Given<()>,

    /// Key of the client certificate, refused as well
    #[arg(long = "otel-exporter-otlp-client-key", hide = true, hide_env_values = true,
          env = "OTEL_EXPORTER_OTLP_CLIENT_KEY", default_value = "",
          value_parser = given(of_client))]
    pub client_key: Given<()>,

    /// The same for traces alone
    #[arg(long = "otel-exporter-otlp-traces-client-key", hide = true, hide_env_values = true,
          env = "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", default_value = "",
          value_parser = given(of_client))]
    pub traces_client_key: Given<()>,
}

fn authorities(path: &str) -> Result<RootCertStore, String> {
    let needed = "a PEM file of CA certificates is needed";
    let pem = fs::read(path).map_err(|e| e.to_string())?;
    let mut trusted = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|_| needed)?;
        trusted.add(certificate).map_err(|_| needed)?;
    }
    if trusted.is_empty() { Err(needed.to_owned()) } else { Ok(trusted) }
}

fn of_client(_: &str) -> Result<(), String> {
    Err("client certificates are not built in: send to a collector nearby, which has one"
        .to_owned())
}
