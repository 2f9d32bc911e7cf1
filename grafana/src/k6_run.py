"""One k6 run of a lab, by its testid: load, latencies as native histograms, counts, the gate restated."""

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models import dashboard as model

from costs import COSTS, TRENDS
from gate import limit_of, verdicts
from labs import thresholds
from parts import PROMETHEUS, Numbered, graph, heat, number, of_variant, query
from shared import annotations, ops, variables

RUN = '{testid="$testid"}'
# Without those that sign its users up, and what a flow asks beside its request.
OF_LAB = '{testid="$testid", lab!=""}'
# The verifier knows it by its first words.
LIMIT = "limit of {{lab}}"
# What every run shows; a gate may add others.
SHOWN = ("queries", "switches", "rows", "busy", "off_cpu", "cpu", "longest_poll", "db", "pool_wait")


def rate(series: str, by: str = "lab, variant") -> str:
    return f"sum by ({by}) (rate({series}{OF_LAB}[$__rate_interval]))"


def quantile(share: float, series: str) -> str:
    # Without requests it is NaN, which is not >= 0.
    return f"histogram_quantile({share}, {rate(series)}) >= 0"


def mean(series: str) -> str:
    return f"histogram_sum({rate(series)}) / (histogram_count({rate(series)}) > 0)"


def of_run(title: str, unit: str, description: str, *queries, span=8, limit=None):
    return graph(title, unit, description, *queries, span=span, links=of_variant(), limit=limit)


def timed(title: str, metric: str, description: str):
    asked = query(quantile(0.95, f"k6_{metric}_seconds"), "p95, {{variant}}")
    return of_run(title, "s", description, asked, query(mean(f"k6_{metric}_seconds"), "mean, {{variant}}"))


def costs():
    """Times as p95, counts as the largest of the moment, both beside the mean; and the gate's limits of counts."""
    gated = {(t.metric, t.parts()[0]): None for t in thresholds() if t.metric in TRENDS}
    for name in dict.fromkeys((*SHOWN, *(name for name, _ in gated))):
        cost = COSTS[name]
        if cost.is_time:
            yield timed(cost.title(), name, cost.description())
            continue
        queries = [
            query(quantile(1, f"k6_{name}"), "largest, {{variant}}"),
            query(mean(f"k6_{name}"), "mean, {{variant}}"),
        ]
        is_limited = (name, "max") in gated
        if is_limited:
            queries.append(query(limit_of(name, "max"), LIMIT))
        limit = "limit.*" if is_limited else None
        yield of_run(cost.title(), cost.unit(), cost.description(), *queries, limit=limit)


def failed() -> str:
    """By requests: averaging k6_http_req_failed_rate would count a series with one request like one with 1,000."""
    every = rate("k6_http_reqs_total")
    wrong = every.replace(OF_LAB, '{testid="$testid", lab!="", expected_response="false"}')
    return f"({wrong} or 0 * {every}) / ({every} > 0)"


def build() -> dashboard.Dashboard:
    to = Numbered(
        "chokepoint-k6",
        "Chokepoint: k6 run",
        "One run of k6/lab.js, sent by remote write with K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM=true.",
    )
    variables(to)
    testid = (
        dashboard.QueryVariable("testid")
        .label("Run (testid)")
        .query('label_values(k6_http_reqs_total{lab!=""}, testid)')
    )
    testid.datasource(PROMETHEUS).refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
    to.made.with_variable(testid.sort(model.VariableSort.ALPHABETICAL_DESC))
    ops(to)
    annotations(to)

    to.row("The gate")
    held = {
        "0": model.ValueMappingResult(text="crossed", color="red"),
        "1": model.ValueMappingResult(text="held", color="green"),
    }
    verdict = number(
        "Thresholds",
        "none",
        "The lab's gate, so far in this run, restated from its lab.json: k6 does not export its own verdict. Slow crosses those that lab.json names, fast none. Prometheus knows values by their buckets, up to 9 % too high, and takes the largest of few requests for their p95, where k6 takes a value between two.",
        query(verdicts(), "{{metric}} {{threshold}}"),
        span=16,
        height=6,
    )
    to.add(verdict.mappings([model.ValueMap(options=held)]))
    to.add(
        number(
            "Requests",
            "short",
            "Answered so far. Slow answers few, because it holds its workers.",
            query(f"sum(k6_http_reqs_total{OF_LAB})", "requests"),
            height=6,
        ),
        number(
            "Failed",
            "percentunit",
            "Share of all requests so far. 0 on slow and on fast.",
            query(
                f'(sum(k6_http_reqs_total{{testid="$testid", lab!="", expected_response="false"}}) or vector(0)) / sum(k6_http_reqs_total{OF_LAB})',
                "failed",
            ),
            height=6,
        ),
    )

    to.row("Load and latency")
    to.add(
        graph(
            "Users",
            "short",
            "Virtual users: on slow they pile up, each waiting; on fast one or two are enough for the same rate.",
            query(f"max(k6_vus{RUN})", "busy"),
            query(f"max(k6_vus_max{RUN})", "limit"),
            limit="limit",
        ),
        of_run(
            "Requests",
            "reqps",
            "Answered a second. Fast follows the rate asked for; slow falls behind it.",
            query(rate("k6_http_reqs_total"), "{{variant}}"),
            query(rate("k6_iterations_total"), "iterations, {{variant}}"),
        ),
        of_run(
            "Failed",
            "percentunit",
            "Share of requests with another status than asked for. 0 on both.",
            query(failed(), "{{variant}}"),
        ),
        of_run(
            "Duration",
            "s",
            "As a client sees it. Slow of the blocking labs: over 2 s, far over the limit. Fast: a few ms.",
            *(
                query(quantile(share, "k6_http_req_duration_seconds"), f"p{share * 100:.0f}, {{{{variant}}}}")
                for share in (0.5, 0.95, 0.99)
            ),
            query(limit_of("http_req_duration", "p(95)"), LIMIT),
            span=12,
            limit="limit.*",
        ),
        heat(
            "Durations",
            "s",
            "Every request, by duration: slow is one band at 2 s and more, fast one of ms.",
            query("sum" + rate("k6_http_req_duration_seconds")[len("sum by (lab, variant)") :], "duration"),
        ),
        of_run(
            "Where the time goes",
            "s",
            "Mean of each phase. On slow all of it is waiting: the server's part. Blocked and connecting are k6's own.",
            *(
                query(mean(f"k6_http_req_{phase}_seconds"), f"{phase}, {{{{variant}}}}")
                for phase in ("blocked", "connecting", "sending", "waiting", "receiving")
            ),
            span=12,
        ),
        of_run(
            "Network",
            "Bps",
            "Bytes a second, headers too. Slow moves little, because it answers little.",
            query(rate("k6_data_received_total"), "received, {{variant}}"),
            query(rate("k6_data_sent_total"), "sent, {{variant}}"),
            span=12,
        ),
    )

    by_check = query(f"min by (check, lab, variant) (k6_checks_rate{RUN})", "{{check}}, {{variant}}")
    by_status = "name, status, lab, variant"
    to.add(
        of_run(
            "Checks",
            "percentunit",
            "Share that held, so far in this run. 100 % on both: slow gives the right answer, late.",
            by_check,
        ),
        of_run(
            "By URL and status",
            "reqps",
            "Answers a second. One line: a lab asks for one URL, and gets what it asks for.",
            query(rate("k6_http_reqs_total", by_status), "{{status}} {{name}}"),
        ),
        timed("Iterations", "iteration_duration", "A request and the pause after it, if the load has one."),
    )

    to.row("What one request costs, as Server-Timing tells it")
    to.add(*costs())
    return to.made
