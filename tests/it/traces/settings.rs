//! OpenTelemetry settings: a value that SDK and exporter would ignore stops the start and is named.

use crate::program::{program, text};

#[test]
fn a_value_that_is_not_understood_ends_the_start_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    for (name, value) in [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://ada:hush@127.0.0.1:4317"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "ftp://127.0.0.1"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "thrift"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "token"),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "a b=c"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s"),
        ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "0"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd"),
        ("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "GZIP"),
        ("OTEL_TRACES_EXPORTER", "jaeger"),
        ("OTEL_TRACES_SAMPLER", "xray"),
        ("OTEL_TRACES_SAMPLER_ARG", "2"),
        ("OTEL_RESOURCE_ATTRIBUTES", "stage"),
        ("OTEL_SDK_DISABLED", "perhaps"),
        ("OTEL_BSP_SCHEDULE_DELAY", "-1"),
        // The SDK's processor never reads it.
        ("OTEL_BSP_EXPORT_TIMEOUT", "30000"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "many"),
    ] {
        let ended = program(folder.path()).env(name, value).output().unwrap();
        assert_eq!(ended.status.code(), Some(2), "{name}={value}");
        let error = text(&ended.stderr);
        assert_eq!(error.lines().count(), 1, "{error}");
        assert!(error.starts_with(&format!("error: {name}")), "{name}: {error}");
        assert!(!error.contains("hush"), "{error}");
    }
}

#[test]
fn a_header_that_can_not_be_sent_is_named_without_its_value() {
    let folder = tempfile::tempdir().unwrap();
    let ended = program(folder.path())
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
        .env("OTEL_EXPORTER_OTLP_HEADERS", "x-token=hush%0Ahush")
        .output()
        .unwrap();
    let error = text(&ended.stderr);
    assert_eq!(ended.status.code(), Some(2), "{error}");
    assert!(error.contains("OTEL_EXPORTER_OTLP_HEADERS") && !error.contains("hush"), "{error}");
}

#[test]
fn headers_that_an_empty_variable_would_hide_end_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let ended = program(folder.path())
        .env("OTEL_EXPORTER_OTLP_HEADERS", "x-token=hush")
        .env("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "")
        .output()
        .unwrap();
    let error = text(&ended.stderr);
    assert_eq!(ended.status.code(), Some(2), "{error}");
    assert!(error.starts_with("error: OTEL_EXPORTER_OTLP_TRACES_HEADERS: "), "{error}");
    assert!(!error.contains("hush"), "{error}");
}
