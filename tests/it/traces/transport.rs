//! Exports with and without compression and TLS; an untrusted receiver gets nothing.

use nix::sys::signal::Signal;

use super::{Authority, Receiver, client, exporting, metric, named, spans_but_waits, trace_id};
use crate::program::{program, text};

const PROTOCOLS: [&str; 2] = ["grpc", "http/protobuf"];

/// Answer to a request with many spans, and a header of each export.
fn exported(protocol: &str, more: &[(&str, &str)], header: &str) -> Vec<Option<String>> {
    let receiver = Receiver::of(protocol, None);
    let serving = exporting(&receiver, protocol, more);
    let answer = client().get(serving.url("/api/posts/v1/slow")).send().unwrap();
    let trace = receiver.trace(&trace_id(&answer));
    assert_eq!(named(&trace, "SELECT posts").len(), 101, "by {protocol}");
    let text = |headers: &axum::http::HeaderMap| {
        headers.get(header).map(|value| value.to_str().unwrap().to_owned())
    };
    receiver.headers().iter().map(text).collect()
}

#[test]
fn exports_are_compressed_if_that_is_asked_for() {
    for (protocol, header) in [("grpc", "grpc-encoding"), ("http/protobuf", "content-encoding")] {
        let gzip = ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip");
        for encoding in exported(protocol, &[gzip], header) {
            assert_eq!(encoding.as_deref(), Some("gzip"), "by {protocol}");
        }
        let not_traces = [gzip, ("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "none")];
        for plain in [&not_traces[..], &[]] {
            for encoding in exported(protocol, plain, header) {
                assert_eq!(encoding, None, "by {protocol}");
            }
        }
    }
}

#[test]
fn an_https_receiver_is_believed_by_the_cas_of_a_file_or_of_the_system() {
    let (ours, other) = (Authority::new(), Authority::new());
    let (ours_file, other_file) = (ours.file(), other.file());
    let (right, wrong) = (ours_file.to_str().unwrap(), other_file.to_str().unwrap());
    for protocol in PROTOCOLS {
        for believed in [
            // Replaces the system's certificates.
            [("OTEL_EXPORTER_OTLP_CERTIFICATE", right), ("SSL_CERT_FILE", wrong)],
            [
                ("OTEL_EXPORTER_OTLP_CERTIFICATE", wrong),
                ("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", right),
            ],
            [("OTEL_EXPORTER_OTLP_CERTIFICATE", ""), ("SSL_CERT_FILE", right)],
        ] {
            let receiver = Receiver::of(protocol, Some(&ours));
            assert!(receiver.url().starts_with("https://"));
            let mut settings = believed.to_vec();
            settings.push(("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"));
            let serving = exporting(&receiver, protocol, &settings);
            let answer = client().get(serving.url("/api/posts/v2/fast")).send().unwrap();
            let trace = receiver.trace(&trace_id(&answer));
            assert_eq!(spans_but_waits(&trace), 2, "{protocol}, {believed:?}");
        }
    }
}

#[test]
fn a_receiver_that_is_not_believed_gets_nothing_and_lost_spans_are_counted() {
    let (ours, other) = (Authority::new(), Authority::new());
    let (ours, other) = (&ours, other.file());
    let (right, wrong) = (ours.file(), other.to_str().unwrap());
    for protocol in PROTOCOLS {
        for believed in [
            // Replaces the system's certificates, and does not add to them.
            [("OTEL_EXPORTER_OTLP_CERTIFICATE", wrong), ("SSL_CERT_FILE", right.to_str().unwrap())],
            [("OTEL_EXPORTER_OTLP_CERTIFICATE", ""), ("SSL_CERT_FILE", wrong)],
        ] {
            let receiver = Receiver::of(protocol, Some(ours));
            let mut settings = believed.to_vec();
            settings.push(("RUST_LOG", "debug"));
            let serving = exporting(&receiver, protocol, &settings);
            let answer = client().get(serving.url("/api/posts/v2/fast")).send().unwrap();
            assert_eq!(answer.status(), 200);
            let lost = "chokepoint_spans_dropped_total{reason=\"export_failed\"}";
            while metric(&serving, lost) < 2 {
                std::thread::yield_now();
            }
            assert_eq!(client().get(serving.url("/health/ready")).send().unwrap().status(), 200);
            assert!(receiver.spans().is_empty(), "by {protocol}");
            serving.signal(Signal::SIGTERM);
            let (code, lines) = serving.end();
            assert_eq!(code, Some(0), "by {protocol}");
            let why = |line: &serde_json::Value| {
                line["fields"].to_string().contains("invalid peer certificate")
            };
            assert!(lines.iter().any(why), "nothing says why: {protocol}");
        }
    }
}

#[test]
fn a_file_without_cas_ends_the_start_and_so_does_a_system_without_any() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let shown = Authority::new().shown();
    let bad = [
        file("empty", ""),
        file("text", "no certificate\n"),
        file("key", &shown.key.serialize_pem()),
        file("cut", &shown.certificate.pem()[..200]),
        file("der", "-----BEGIN CERTIFICATE-----\naHVzaA==\n-----END CERTIFICATE-----\n"),
        folder.path().join("nowhere").to_str().unwrap().to_owned(),
    ];
    for name in ["OTEL_EXPORTER_OTLP_CERTIFICATE", "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE"] {
        for path in &bad {
            let error = refused(folder.path(), &[(name, path)]);
            assert!(error.contains(&format!("{name} (")), "{error}");
        }
    }
    for protocol in PROTOCOLS {
        let error = refused(
            folder.path(),
            &[
                ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://127.0.0.1:4317"),
                ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
                ("SSL_CERT_FILE", &bad[0]),
            ],
        );
        assert!(error.contains("OTEL_EXPORTER_OTLP_ENDPOINT: "), "{error}");
    }
}

#[test]
fn a_certificate_of_the_clients_is_refused_and_not_ignored() {
    let folder = tempfile::tempdir().unwrap();
    for kind in ["CLIENT_CERTIFICATE", "CLIENT_KEY"] {
        for name in ["OTEL_EXPORTER_OTLP", "OTEL_EXPORTER_OTLP_TRACES"] {
            let name = format!("{name}_{kind}");
            let error = refused(folder.path(), &[(&name, "hush.pem")]);
            assert!(error.contains(&format!("{name} (")), "{error}");
            assert!(kind != "CLIENT_KEY" || !error.contains("hush"), "{error}");
        }
    }
}

/// Returns the single line of the failed start.
fn refused(folder: &std::path::Path, settings: &[(&str, &str)]) -> String {
    let ended = program(folder).envs(settings.iter().copied()).output().unwrap();
    let error = text(&ended.stderr);
    assert_eq!(ended.status.code(), Some(2), "{settings:?}: {error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    error
}
