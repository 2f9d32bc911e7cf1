"""The server from inside: runtimes, pool, cache, v1 threads, log ingest, and what requests of each route cost."""

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models import dashboard as model

from costs import COSTS
from instance import HERE, gauge, quantile, rate, seldom
from parts import PROMETHEUS, Numbered, graph, number, of_route, query
from shared import annotations, ops, variables
from stores import database, ingest


def runtimes(to: Numbered) -> None:
    to.row("Runtimes: app runs the requests, ops watches")
    of_runtime = "{{runtime}} of {{instance}}"
    to.add(
        graph(
            "Busy workers",
            "percentunit",
            "Share of time that workers were busy; a held worker tells when it is released. Slow of the blocking labs: app near 100 %, with next to no CPU. Fast: a few %. ops is always near 0.",
            query(gauge("chokepoint_runtime_busy_ratio", "runtime, instance"), of_runtime),
        ),
        graph(
            "Due tasks wait",
            "percentunit",
            "Share of time that a task which was due waited for an app worker. Slow of the blocking labs: over 20 %, and the alert WorkersHeld. Fast: near 0.",
            query(f"instance:chokepoint_app_scheduling_delay:ratio_rate10s{HERE}", "{{instance}}"),
        ),
        graph(
            "Polls, p99",
            "s",
            "Duration of single polls of any task. Under 0.01 s a runtime stays fair; slow of the blocking labs: the longest bucket there is.",
            query(quantile(0.99, "chokepoint_runtime_poll_seconds", "runtime, instance"), of_runtime),
        ),
        graph(
            "CPU and threads",
            "short",
            "Cores in use: next to none on slow of the blocking labs, although its workers are busy.",
            query(rate("process_cpu_seconds_total", "instance"), "cores, {{instance}}"),
        ),
        graph(
            "Tasks",
            "short",
            "Tasks alive. On slow they grow with the users that wait.",
            query(gauge("chokepoint_runtime_tasks", "runtime, instance"), of_runtime),
        ),
        graph(
            "Tasks in queues",
            "short",
            "Tasks that are ready and wait for a worker. Slow of the blocking labs: one for each waiting request. Fast: 0.",
            query(
                gauge("chokepoint_runtime_queued_tasks", "runtime, queue, instance"), "{{queue}}, " + of_runtime
            ),
        ),
        graph(
            "Blocking threads",
            "short",
            "Threads of the blocking pool; hashes of v2 and spawn_blocking run there.",
            query(
                gauge("chokepoint_runtime_blocking_threads", "runtime, state, instance"),
                "{{state}}, " + of_runtime,
            ),
        ),
        graph(
            "Waiting for a blocking thread",
            "short",
            "Tasks in the queue of the blocking pool: 0 unless all of its threads are taken.",
            query(gauge("chokepoint_runtime_blocking_queued_tasks", "runtime, instance"), of_runtime),
        ),
        graph(
            "Wait for a blocking thread, p95",
            "s",
            "task is work of requests, probe an empty closure every 100 ms. Under 0.0001 s, unless all threads are taken.",
            query(
                quantile(0.95, "chokepoint_runtime_blocking_wait_seconds", "runtime, source"),
                "{{source}}, {{runtime}}",
            ),
        ),
        graph(
            "Longest poll of the last 5 s",
            "s",
            "Rounded up to a power of two; a poll counts when it is over. Slow of the blocking labs: 2 s. Fast: ms.",
            query(gauge("chokepoint_runtime_longest_poll_seconds", "runtime, instance"), of_runtime),
        ),
        graph(
            "Polls of 10 ms and more",
            "ops",
            "Each held a worker of the app so long; /debug/blocked on the ops port lists them. Slow of the blocking labs: each request. Fast: 0.",
            query(rate("chokepoint_blocked_polls_total", "route"), "{{route}}"),
            links=of_route(),
        ),
        graph(
            "v1 threads",
            "short",
            "Each /api/v1 request but log-ins and registrations holds one from dispatch to answer. All held, and requests queue.",
            query(gauge("chokepoint_v1_threads_held", "instance"), "held, {{instance}}"),
            query(gauge("chokepoint_v1_queued_requests", "instance"), "queued, {{instance}}"),
            query(gauge("chokepoint_v1_threads", "instance"), "limit, {{instance}}"),
            limit="limit.*",
        ),
    )


def budget(to: Numbered) -> None:
    to.row("What one request of each route costs, on average")
    # Those that a rule records.
    for name in ("queries", "switches", "busy", "off_cpu", "db", "pool_wait"):
        cost = COSTS[name]
        asked = query(f"sum by (route) (route:{cost.metric}:mean10s)", "{{route}}")
        to.add(graph(cost.title(), cost.unit(), cost.description(), asked, links=of_route()))


def process(to: Numbered) -> None:
    to.row("The process, and what watches it")
    to.add(
        graph(
            "Memory",
            "bytes",
            "Resident memory. Level, once pools and caches are filled.",
            query(gauge("process_resident_memory_bytes", "instance"), "{{instance}}"),
        ),
        graph(
            "Recent traces",
            "bytes",
            "Memory of the traces kept for /debug/traces; at the limit the oldest go.",
            query(gauge("chokepoint_trace_ring_bytes", "instance"), "kept, {{instance}}"),
            query(gauge("chokepoint_trace_ring_max_bytes", "instance"), "limit, {{instance}}"),
            limit="limit.*",
        ),
        graph(
            "Lost",
            "ops",
            "Log lines that standard output did not take; spans that are not kept for /debug/traces, where evicted is normal in a full store; spans that no OTLP receiver took. 0 for lines and exports.",
            query(rate("chokepoint_log_lines_dropped_total", "instance"), "log lines, {{instance}}"),
            query(rate("chokepoint_trace_ring_spans_dropped_total", "reason"), "kept spans, {{reason}}"),
            query(seldom("chokepoint_spans_dropped_total", "reason"), "exports, {{reason}}"),
        ),
        number(
            "Up",
            "none",
            "1 for each instance that answers scrapes, also while every app worker is held.",
            query('up{job="chokepoint", instance=~"$instance"}', "{{instance}}"),
            span=6,
        ),
        number(
            "Build",
            "none",
            "1 for each instance; a debug build is no base for figures.",
            query(f"chokepoint_build_info{HERE}", "{{version}} {{profile}}, {{instance}}"),
            span=6,
        ),
        number(
            "Age",
            "s",
            "Time since the process was started.",
            query(f"time() - process_start_time_seconds{HERE}", "{{instance}}"),
            span=6,
        ),
        number(
            "Open files",
            "short",
            "Sockets and files. Grows with the connections of clients.",
            query(f"process_open_fds{HERE}", "{{instance}}"),
            span=6,
        ),
    )


def build() -> dashboard.Dashboard:
    to = Numbered(
        "chokepoint-runtime",
        "Chokepoint: runtime",
        "Runtimes, threads, pool, cache and log ingest, and the budget of every route's requests.",
    )
    variables(to)
    instance = (
        dashboard.QueryVariable("instance")
        .label("Instance")
        .query('label_values(up{job="chokepoint"}, instance)')
    )
    instance.datasource(PROMETHEUS).refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED).multi(True)
    to.made.with_variable(instance.include_all(True).current(model.VariableOption(True, ["All"], ["$__all"])))
    ops(to)
    annotations(to)
    for part in (runtimes, budget, database, ingest, process):
        part(to)
    return to.made
