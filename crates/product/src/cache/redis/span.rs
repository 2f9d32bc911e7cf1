//! Span of a command, by OpenTelemetry's conventions for Redis. It has neither keys nor values,
//! because tokens and texts of users are among them.

use std::fmt::Arguments;

use redis::ConnectionAddr;
use tracing::{Span, field::Empty};

use super::Link;

/// Span of a command. `name` describes its purpose.
pub fn of_command(link: &Link, name: Arguments<'_>, command: &str) -> Span {
    let server = link.server();
    let (host, port) = match server.addr() {
        ConnectionAddr::Tcp(host, port) => (Some(host.as_str()), Some(i64::from(*port))),
        _ => (None, None),
    };
    tracing::info_span!(
        "redis",
        otel.name = name,
        otel.kind = "client",
        otel.status_code = Empty,
        "error.type" = Empty,
        db.system.name = "redis",
        db.namespace = server.redis_settings().db().to_string(),
        db.operation.name = command,
        server.address = host,
        server.port = port,
        chokepoint.cache.name = Empty,
        chokepoint.cache.hit = Empty,
    )
}

/// Marks a command as failed: it was refused, or got no answer.
pub fn failed(span: &Span) {
    span.record("otel.status_code", "ERROR").record("error.type", "unavailable");
}
