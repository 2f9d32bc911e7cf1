//! The metrics that Prometheus scrapes.

use std::collections::BTreeSet;

use reqwest::{Method, blocking::Client};

use crate::{program::Serving, support::TestApp};

/// Series that dashboards need.
const SERIES: [&str; 37] = [
    "axum_http_requests_total{",
    "axum_http_requests_duration_seconds_bucket{",
    "axum_http_requests_pending{",
    "chokepoint_request_queries_bucket{",
    "chokepoint_request_rows_bucket{",
    "chokepoint_request_switches_bucket{",
    "chokepoint_request_off_cpu_seconds_bucket{",
    "chokepoint_request_busy_seconds_bucket{",
    "chokepoint_request_longest_poll_seconds_bucket{",
    "chokepoint_request_db_seconds_bucket{",
    "chokepoint_request_pool_wait_seconds_bucket{",
    "chokepoint_db_pool_connections{state=\"in_use\"}",
    "chokepoint_db_pool_connections{state=\"idle\"}",
    "chokepoint_db_pool_limit",
    "chokepoint_runtime_workers{runtime=\"app\"} 2",
    "chokepoint_runtime_workers{runtime=\"ops\"} 2",
    "chokepoint_runtime_busy_ratio{runtime=\"app\"}",
    "chokepoint_runtime_tasks{runtime=\"app\"}",
    "chokepoint_runtime_queued_tasks{",
    "chokepoint_runtime_blocking_threads{",
    "chokepoint_runtime_blocking_queued_tasks{",
    "chokepoint_runtime_poll_seconds_bucket{runtime=\"app\",le=\"+Inf\"}",
    "chokepoint_runtime_longest_poll_seconds{runtime=\"app\"}",
    "chokepoint_runtime_longest_poll_seconds{runtime=\"ops\"}",
    "chokepoint_runtime_blocking_wait_seconds_count{runtime=\"app\",source=\"probe\"}",
    "chokepoint_runtime_blocking_wait_seconds_count{runtime=\"ops\",source=\"probe\"}",
    "chokepoint_blocked_polls_total{route=\"/api/posts/v1/slow\",lab=\"blocking-n-plus-one\",variant=\"slow\"}",
    "chokepoint_app_scheduling_delay_seconds_count",
    "chokepoint_log_lines_dropped_total",
    "chokepoint_v1_threads",
    "chokepoint_v1_threads_held",
    "chokepoint_v1_queued_requests",
    "chokepoint_held_bytes{of=\"answers\"}",
    "chokepoint_held_bytes_max{of=\"bodies\"}",
    "chokepoint_held_bytes_refused_total{of=\"answers\"}",
    "chokepoint_build_info{",
    "process_start_time_seconds",
];

#[test]
fn every_series_is_there_with_its_help() {
    let app = TestApp::start();
    app.run(async {
        app.get("/api/posts/v2/fast").await;
        let mut text = app.metrics().await;
        // The schedule probe and the pool sampler need a moment for their first samples.
        for _ in 0..100 {
            if SERIES.iter().all(|series| text.contains(series)) {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            text = app.metrics().await;
        }
        for series in SERIES {
            assert!(text.contains(series), "{series} is missing");
        }
        let names = |comment: &str| -> BTreeSet<String> {
            let lines = text.lines().filter_map(|line| line.strip_prefix(comment));
            lines.map(|rest| rest.split(' ').next().unwrap().to_owned()).collect()
        };
        assert_eq!(names("# TYPE "), names("# HELP "), "a metric has no help");
    });
}

#[test]
fn a_lab_is_counted_by_route_lab_and_variant() {
    // A process of its own: the servers of this one share their series.
    let serving = Serving::start(&[]);
    let series = |kind| {
        format!(
            "chokepoint_request_queries_{kind}{{method=\"GET\",route=\"/api/labs/n-plus-one/v1/slow\",lab=\"n-plus-one\",variant=\"slow\"}}"
        )
    };
    let client = Client::builder().no_proxy().build().unwrap();
    for requests in [1, 2] {
        client.get(serving.url("/api/labs/n-plus-one/v1/slow")).send().unwrap();
        serving.wait_for_metric(&series("sum"), 201 * requests);
        serving.wait_for_metric(&series("count"), requests);
    }
}

#[test]
fn unknown_paths_and_odd_methods_share_one_label() {
    let serving = Serving::start(&[]);
    let client = Client::builder().no_proxy().build().unwrap();
    let send = |method: &str, path: &str| {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        client.request(method, serving.url(path)).send().unwrap()
    };
    let scan = |name: usize| {
        assert_eq!(send("GET", &format!("/scan/{name}.php")).status(), 404);
        send(&format!("ODD{name}"), "/health/live");
    };
    let series = || {
        let text = serving.metrics();
        let of_requests = |line: &&str| line.starts_with("axum_http") || line.contains("_request_");
        text.lines().filter(of_requests).count()
    };
    scan(0);
    let before = series();
    (1..=1_000).for_each(scan);
    assert_eq!(series(), before);
    let text = serving.metrics();
    assert!(text.contains("axum_http_requests_total{method=\"GET\",route=\"<unknown>\""));
    assert!(text.contains("chokepoint_request_queries_count{method=\"GET\",route=\"<unknown>\"}"));
}
