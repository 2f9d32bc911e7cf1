"""Slow against fast, v1 against v2: every variant of one lab in the same panels."""

from grafana_foundation_sdk.builders import dashboard

from labs import choices
from parts import Numbered, bars, graph, of_route, query
from shared import annotations, chosen, ops, variables

OF_LAB = '{route=~"$lab"}'


def per_request(of: str, over: str = "$__rate_interval") -> str:
    """Mean of a counter that no rule records; 0 where a route has requests and none of it."""
    rate = f"by (route) (rate(chokepoint_request_{of}_%s{OF_LAB}[{over}]))"
    mean = f"sum {rate % 'sum'} / (sum {rate % 'count'} > 0)"
    return f"({mean}) or 0 * sum by (route) (route:axum_http_requests:rate10s{OF_LAB})"


def recorded(rule: str) -> str:
    return f"sum by (route) ({rule}{OF_LAB})"


def worst(rule: str) -> str:
    return f"max by (route) (max_over_time({rule}{OF_LAB}[$__range]))"


def line(title: str, unit: str, description: str, expression: str):
    return graph(title, unit, description, query(expression, "{{route}}"), links=of_route())


def bar(title: str, unit: str, description: str, expression: str):
    return bars(title, unit, description, query(expression, "{{route}}", instant=True), links=of_route())


def build() -> dashboard.Dashboard:
    to = Numbered(
        "chokepoint-slow-fast",
        "Chokepoint: slow against fast",
        "Every variant of one lab in the same panels: what a client feels, and what one request costs.",
    )
    variables(to)
    offered = choices()
    lab = (
        dashboard.CustomVariable("lab")
        .label("Lab")
        .values(", ".join(f"{text} : {value}" for text, value in offered.items()))
    )
    first = next(iter(offered))
    to.made.with_variable(lab.current(chosen(first, offered[first])))
    ops(to)
    annotations(to)

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
            f"max by (route) (route:axum_http_requests_5xx:ratio_rate10s{OF_LAB}) or 0 * {recorded('route:axum_http_requests:rate10s')}",
        ),
        line(
            "Missed the objective",
            "percentunit",
            "Share of requests that took over 500 ms or failed; 1 % may. Slow of the blocking labs: 100 %. Fast: 0.",
            f"max by (route) (route:slo_misses:ratio_rate10s{OF_LAB})",
        ),
    )
    for name, share in (("p50", "half"), ("p95", "19 of 20"), ("p99", "99 of 100")):
        to.add(
            line(
                f"Duration, {name}",
                "s",
                f"Time in which {share} of the requests are answered, as the server sees it. Slow of the blocking labs: 2 s and more with each user. Fast: ms. Of buckets, so up to one bucket too high.",
                f"max by (route) (route:axum_http_requests_duration_seconds:{name}_rate10s{OF_LAB})",
            )
        )
    to.add(
        graph(
            "In flight",
            "short",
            "Requests that wait for their answer. Slow: all users. Fast: next to none.",
            query('sum by (endpoint) (axum_http_requests_pending{endpoint=~"$lab"})', "{{endpoint}}"),
        )
    )

    to.row("What one request costs, on average")
    to.add(
        line(
            "Queries",
            "short",
            "The N+1 in one number. Slow: 101 or 201. Fast: 1 or 2. v1 and v2 are the same code: equal.",
            recorded("route:chokepoint_request_queries:mean10s"),
        ),
        line(
            "Rows",
            "short",
            "Rows the database gave. Slow of blocking-n-plus-one: 200. Fast: 100.",
            per_request("rows"),
        ),
        line(
            "Switches",
            "short",
            "The thread gave up its core while it held a worker: it blocked. Slow of the blocking labs: over 100. Fast: next to 0. v1 may: its threads are made to wait.",
            recorded("route:chokepoint_request_switches:mean10s"),
        ),
        line(
            "Busy",
            "s",
            "Wall time that a request held its thread. Slow of the blocking labs: 2 s. Fast: ms.",
            recorded("route:chokepoint_request_busy_seconds:mean10s"),
        ),
        line(
            "Off-CPU",
            "s",
            "The part of busy in which the thread did not run. Slow of the blocking labs: all of the 2 s. Fast: 0.",
            recorded("route:chokepoint_request_off_cpu_seconds:mean10s"),
        ),
        line(
            "Longest poll",
            "s",
            "Longest time without giving the worker back. Over 0.01 s every other request of that worker waits.",
            per_request("longest_poll_seconds"),
        ),
        line(
            "Database",
            "s",
            "Time waited for the database, pool included. Slow of n-plus-one: most of its time. Slow of hidden-blocking: next to none.",
            recorded("route:chokepoint_request_db_seconds:mean10s"),
        ),
        line(
            "Pool wait",
            "s",
            "Time waited for a connection of the pool. Near 0 on both, until more ask than there are connections.",
            recorded("route:chokepoint_request_pool_wait_seconds:mean10s"),
        ),
        line(
            "Queue wait",
            "s",
            "Time that an /api/v1 request waited for one of its threads. v2 and the labs have no such queue: 0.",
            per_request("queue_wait_seconds"),
        ),
    )
    return to.made
