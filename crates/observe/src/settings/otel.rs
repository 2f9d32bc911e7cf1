//! Settings of traces that neither SDK nor exporter reads. An empty value counts as not given, by
//! OpenTelemetry's specification.

use clap::{Args, builder::BoolishValueParser};

use super::otel_tls::OtelTlsConfig;

/// Value of a setting, or None if the text was empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given<T>(pub Option<T>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exporter {
    Otlp,
    None,
}

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "OpenTelemetry")]
pub struct OtelConfig {
    /// Record no traces at all, not even those of this server's own pages
    #[arg(long = "otel-sdk-disabled", env = "OTEL_SDK_DISABLED", value_name = "BOOL",
          default_value = "false", num_args = 0..=1, default_missing_value = "true",
          require_equals = true, value_parser = BoolishValueParser::new())]
    pub disabled: bool,

    /// Exporter of traces if OTEL_EXPORTER_OTLP_ENDPOINT is set, `otlp` or `none`
    #[arg(long = "otel-traces-exporter", env = "OTEL_TRACES_EXPORTER", value_name = "NAME",
          default_value = "", hide_default_value = true, value_parser = given(exporter))]
    pub exporter: Given<Exporter>,

    #[command(flatten)]
    pub tls: OtelTlsConfig,
}

/// Wraps `parse` so that an empty text is no value.
pub fn given<T>(
    parse: fn(&str) -> Result<T, String>,
) -> impl Fn(&str) -> Result<Given<T>, String> + Clone {
    move |text| if text.is_empty() { Ok(Given(None)) } else { Ok(Given(Some(parse(text)?))) }
}

fn exporter(text: &str) -> Result<Exporter, String> {
    match text {
        "otlp" => Ok(Exporter::Otlp),
        "none" => Ok(Exporter::None),
        _ => Err("one of otlp, none is needed".to_owned()),
    }
}
