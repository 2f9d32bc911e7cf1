"""Slow against fast, v1 against v2: every variant of one lab in the same panels."""

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models import dashboard as model

from costs import COSTS, Cost
from parts import PROMETHEUS, Numbered, bars, graph, in_tempo, of_route, of_variant, query
from shared import annotations, ops, variables

OF_LAB = '{lab="$lab"}'
# Labels of the links; the route is one for each variant.
BY_VARIANT = "lab, variant, route"
# Accounts and todos, which are served twice.
TWICE = '{lab="", variant!=""}'


def per_request(cost: Cost, of: str, by: str) -> str:
    """Mean over all requests: a histogram of a wait counts only those that waited."""
    total, requests = (
        f"sum by ({by}) (rate({series}{of}[$__rate_interval]))"
        for series in (f"{cost.metric}_sum", "axum_http_requests_total")
    )
    return f"{total} / ({requests} > 0) or 0 * {requests}"


def recorded(rule: str, of: str = OF_LAB, by: str = BY_VARIANT) -> str:
    # `job` is one, so max only drops it.
    return f"max by ({by}) ({rule}{of})"


def worst(rule: str) -> str:
    return f"max by ({BY_VARIANT}) (max_over_time({rule}{OF_LAB}[$__range]))"


def line(title: str, unit: str, description: str, expression: str):
    links = [*of_variant(), in_tempo()]
    return graph(title, unit, description, query(expression, "{{variant}}"), links=links)


def bar(title: str, unit: str, description: str, expression: str):
    links = [*of_variant(), in_tempo()]
    return bars(title, unit, description, query(expression, "{{variant}}", instant=True), links=links)


def twice(title: str, unit: str, description: str, expression: str):
    return graph(title, unit, description, query(expression, "{{route}}"), links=of_route())


def build() -> dashboard.Dashboard:
    to = Numbered(
        "chokepoint-slow-fast",
        "Chokepoint: slow against fast",
        "Every variant of one lab in the same panels: what a client feels, and what one request costs.",
    )
    variables(to)
    lab = (
        dashboard.QueryVariable("lab")
        .label("Lab")
        .query('label_values(axum_http_requests_total{lab!=""}, lab)')
    )
    lab.datasource(PROMETHEUS).refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
    to.made.with_variable(lab.sort(model.VariableSort.ALPHABETICAL_ASC))
    ops(to)
    annotations(to)
    for part in (over_time, client, costs, models):
        part(to)
    return to.made


def over_time(to: Numbered) -> None:
    to.row("Over the time shown")
    to.add(
        bar(
            "Worst p95",
            "s",
            "Slow of blocking-n-plus-one: over 2 s. Fast: a few ms.",
            worst("route:axum_http_requests_duration_seconds:p95_rate10s"),
        ),
        bar(
            "Most queries of a request",
            "short",
            "A count, so the same on every machine. Slow: 101 or 201. Fast: 1 or 2.",
            worst("route:chokepoint_request_queries:mean10s"),
        ),
        bar(
            "Most switches of a request",
            "short",
            "How often a request gave up its core while it held a worker. Slow of the blocking labs: over 100. Fast: next to 0.",
            worst("route:chokepoint_request_switches:mean10s"),
        ),
        bar(
            "Longest held by a request",
            "s",
            "Time that a request held a worker thread. Slow of the blocking labs: 2 s. Fast: ms.",
            worst("route:chokepoint_request_busy_seconds:mean10s"),
        ),
    )


def client(to: Numbered) -> None:
    to.row("What a client feels")
    to.add(
        line(
            "Requests",
            "reqps",
            "Slow: a few a second, however many users. Fast: as many as users ask for.",
            recorded("route:axum_http_requests:rate10s"),
        ),
        line(
            "Failed with 5xx",
            "percentunit",
            "A share of the requests. 0 on slow and on fast: slow is slow, not broken.",
            f"{recorded('route:axum_http_requests_5xx:ratio_rate10s')} or 0 * {recorded('route:axum_http_requests:rate10s')}",
        ),
        line(
            "Missed the objective",
            "percentunit",
            "Share of requests that took over 500 ms or failed; 1 % may. Slow of the blocking labs: 100 %. Fast: 0.",
            recorded("route:slo_misses:ratio_rate10s"),
        ),
    )
    for name, share in (("p50", "half"), ("p95", "19 of 20"), ("p99", "99 of 100")):
        to.add(
            line(
                f"Duration, {name}",
                "s",
                f"Time in which {share} of the requests are answered, as the server sees it. Slow of the blocking labs: 2 s and more with each user. Fast: ms. Of buckets, so up to one bucket too high.",
                recorded(f"route:axum_http_requests_duration_seconds:{name}_rate10s"),
            )
        )
    to.add(
        line(
            "In flight",
            "short",
            "Requests that wait for their answer. Slow: all users. Fast: next to none.",
            f"sum by ({BY_VARIANT}) (axum_http_requests_pending{OF_LAB})",
        )
    )


def costs(to: Numbered) -> None:
    to.row("What one request costs, on average")
    for cost in COSTS.values():
        # No lab has that queue.
        if cost.metric and cost.name != "queue_wait":
            asked = per_request(cost, OF_LAB, BY_VARIANT)
            to.add(line(cost.title(), cost.unit(), cost.description(), asked))


def models(to: Numbered) -> None:
    to.row("v1 against v2: the same code, with a thread for each request and async")
    to.add(
        twice(
            "Requests",
            "reqps",
            "Close while nothing waits. With the database at a distance v1 answers only as many at a time as it has threads.",
            recorded("route:axum_http_requests:rate10s", TWICE, "route"),
        ),
        twice(
            "Duration, p95",
            "s",
            "Time in which 19 of 20 requests are answered. v1 includes the wait for a thread.",
            recorded("route:axum_http_requests_duration_seconds:p95_rate10s", TWICE, "route"),
        ),
    )
    for name in ("queue_wait", "busy", "switches", "queries"):
        cost = COSTS[name]
        asked = per_request(cost, TWICE, "route")
        to.add(twice(cost.title(), cost.unit(), cost.description(), asked))
