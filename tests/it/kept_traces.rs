//! Spans of a trace, read from `/debug/traces/{trace_id}`.

use opentelemetry_proto::tonic::trace::v1::{Span, TracesData};

use crate::support::TestApp;

/// Spans of a kept trace: a sampled one, or one of the first of its route. The request may still be
/// in flight.
pub async fn kept(app: &TestApp, id: &str) -> Vec<Span> {
    let answer = app.get_ops(&format!("/debug/traces/{id}")).await;
    assert_eq!(answer.status(), 200, "{id}");
    of(&answer.json().await.unwrap())
}

pub fn of(data: &TracesData) -> Vec<Span> {
    let scopes = data.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
    scopes.flat_map(|scope| scope.spans.clone()).collect()
}
