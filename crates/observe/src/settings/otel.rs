//! OpenTelemetry's own settings, by their standard names. By its specification an empty value
//! counts as not given; any other invalid value stops the start.

use std::time::Duration;

use clap::{Args, builder::BoolishValueParser};

use super::{
    otel_tls::OtelTlsConfig,
    otel_values::{
        Compression, Exporter, Given, Pairs, Protocol, Sampler, compression, endpoint, exporter,
        given, millis, name, pairs, protocol, queue, ratio, sampler,
    },
};

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "OpenTelemetry")]
pub struct OtelConfig {
    /// Record no traces at all, not even those of this server's own pages
    #[arg(long = "otel-sdk-disabled", env = "OTEL_SDK_DISABLED", value_name = "BOOL",
          default_value = "false", num_args = 0..=1, default_missing_value = "true",
          require_equals = true, value_parser = BoolishValueParser::new())]
    pub disabled: bool,

    /// Exporter of traces if an endpoint is set, `otlp` or `none`
    #[arg(long = "otel-traces-exporter", env = "OTEL_TRACES_EXPORTER", value_name = "NAME",
          default_value = "", hide_default_value = true, value_parser = given(exporter))]
    pub exporter: Given<Exporter>,

    /// URL of the OTLP receiver of traces, such as http://127.0.0.1:4317 [default: none]
    #[arg(long = "otel-exporter-otlp-endpoint", env = "OTEL_EXPORTER_OTLP_ENDPOINT",
          value_name = "URL", default_value = "", hide_default_value = true,
          value_parser = given(endpoint))]
    pub endpoint: Given<String>,

    /// The same for traces alone; over HTTP it is the whole URL, with its path
    #[arg(long = "otel-exporter-otlp-traces-endpoint", env = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
          value_name = "URL", default_value = "", hide_default_value = true,
          value_parser = given(endpoint))]
    pub traces_endpoint: Given<String>,

    /// Protocol of the receiver, `grpc` or `http/protobuf` [default: http/protobuf]
    #[arg(long = "otel-exporter-otlp-protocol", env = "OTEL_EXPORTER_OTLP_PROTOCOL",
          value_name = "NAME", default_value = "", hide_default_value = true,
          value_parser = given(protocol))]
    pub protocol: Given<Protocol>,

    /// The same for traces alone
    #[arg(long = "otel-exporter-otlp-traces-protocol", env = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
          value_name = "NAME", default_value = "", hide_default_value = true,
          value_parser = given(protocol))]
    pub traces_protocol: Given<Protocol>,

    /// Headers of each export, as key=value,… with percent-encoded values [default: none]
    #[arg(long = "otel-exporter-otlp-headers", env = "OTEL_EXPORTER_OTLP_HEADERS",
          value_name = "PAIRS", default_value = "", hide_default_value = true,
          hide_env_values = true, value_parser = given(pairs))]
    pub headers: Given<Pairs>,

    /// The same for traces alone
    #[arg(long = "otel-exporter-otlp-traces-headers", env = "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
          value_name = "PAIRS", default_value = "", hide_default_value = true,
          hide_env_values = true, value_parser = given(pairs))]
    pub traces_headers: Given<Pairs>,

    /// Milliseconds that one export may take [default: 10000]
    #[arg(long = "otel-exporter-otlp-timeout", env = "OTEL_EXPORTER_OTLP_TIMEOUT",
          value_name = "MS", default_value = "", hide_default_value = true,
          value_parser = given(millis))]
    pub timeout: Given<Duration>,

    /// The same for traces alone
    #[arg(long = "otel-exporter-otlp-traces-timeout", env = "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
          value_name = "MS", default_value = "", hide_default_value = true,
          value_parser = given(millis))]
    pub traces_timeout: Given<Duration>,

    /// Compression of exports, `gzip` or `none`; as a flag, `none` does not overrule a variable
    /// that says gzip [default: none]
    #[arg(long = "otel-exporter-otlp-compression", env = "OTEL_EXPORTER_OTLP_COMPRESSION",
          value_name = "NAME", default_value = "", hide_default_value = true,
          value_parser = given(compression))]
    pub compression: Given<Compression>,

    /// The same for traces alone
    #[arg(long = "otel-exporter-otlp-traces-compression",
          env = "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", value_name = "NAME", default_value = "",
          hide_default_value = true, value_parser = given(compression))]
    pub traces_compression: Given<Compression>,

    #[command(flatten)]
    pub tls: OtelTlsConfig,

    /// Sampler of exports, such as `parentbased_traceidratio` [default: parentbased_always_on]
    #[arg(long = "otel-traces-sampler", env = "OTEL_TRACES_SAMPLER", value_name = "NAME",
          default_value = "", hide_default_value = true, value_parser = given(sampler))]
    pub sampler: Given<Sampler>,

    /// Share that the ratio samplers take, 0 to 1 [default: 1]
    #[arg(long = "otel-traces-sampler-arg", env = "OTEL_TRACES_SAMPLER_ARG",
          value_name = "RATIO", default_value = "", hide_default_value = true,
          value_parser = given(ratio))]
    pub sampler_arg: Given<f64>,

    /// Name of this service in traces [default: chokepoint]
    #[arg(long = "otel-service-name", env = "OTEL_SERVICE_NAME", value_name = "NAME",
          default_value = "", hide_default_value = true, value_parser = given(name))]
    pub service_name: Given<String>,

    /// Attributes of this process, as key=value,… with percent-encoded values [default: none]
    #[arg(long = "otel-resource-attributes", env = "OTEL_RESOURCE_ATTRIBUTES",
          value_name = "PAIRS", default_value = "", hide_default_value = true,
          value_parser = given(pairs))]
    pub resource_attributes: Given<Pairs>,

    /// Milliseconds between two exports [default: 5000]
    #[arg(long = "otel-bsp-schedule-delay", env = "OTEL_BSP_SCHEDULE_DELAY", value_name = "MS",
          default_value = "", hide_default_value = true, value_parser = given(millis))]
    pub schedule_delay: Given<Duration>,

    /// Milliseconds that one export may take, if no OTLP timeout is set [default: 10000]
    #[arg(long = "otel-bsp-export-timeout", env = "OTEL_BSP_EXPORT_TIMEOUT", value_name = "MS",
          default_value = "", hide_default_value = true, value_parser = given(millis))]
    pub export_timeout: Given<Duration>,

    /// Spans that may wait to be exported; more are dropped and counted [default: 2048]
    #[arg(long = "otel-bsp-max-queue-size", env = "OTEL_BSP_MAX_QUEUE_SIZE",
          value_name = "SPANS", default_value = "", hide_default_value = true,
          value_parser = given(queue))]
    pub max_queue_size: Given<usize>,

    /// Most spans of one export [default: 512]
    #[arg(long = "otel-bsp-max-export-batch-size", env = "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
          value_name = "SPANS", default_value = "", hide_default_value = true,
          value_parser = given(queue))]
    pub max_export_batch_size: Given<usize>,
}
