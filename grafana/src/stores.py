"""Panels of the stores for the runtime dashboard: pool, cache, hashes, limits, log ingest."""

from instance import gauge, mean, quantile, rate, seldom
from parts import Numbered, graph, query


def database(to: Numbered) -> None:
    to.row("Database pool, cache")
    to.add(
        graph(
            "Connections",
            "short",
            "Slow of n-plus-one keeps its connection busy 201 times; with all in use, requests wait.",
            query(gauge("chokepoint_db_pool_connections", "state, instance"), "{{state}}, {{instance}}"),
            query(gauge("chokepoint_db_pool_limit", "instance"), "limit, {{instance}}"),
            limit="limit.*",
        ),
        graph(
            "Hits of the cache",
            "percentunit",
            "Share of look-ups that the cache answered. No look-ups count as 0. A list that is read once after each change: about 50 %.",
            query(
                f"({rate('chokepoint_cache_hits_total', 'cache')} / ({rate('chokepoint_cache_hits_total', 'cache')} + {rate('chokepoint_cache_misses_total', 'cache')} > 0)) or 0 * {rate('chokepoint_cache_hits_total', 'cache')}",
                "{{cache}}",
            ),
        ),
        graph(
            "Loads",
            "ops",
            "Loads from the database after a miss. Waits are misses that shared somebody else's load.",
            query(rate("chokepoint_cache_loads_total", "cache"), "loads, {{cache}}"),
            query(rate("chokepoint_cache_lock_waits_total", "cache"), "waits, {{cache}}"),
        ),
        graph(
            "Absences",
            "ops",
            "Look-ups of what does not exist, answered by the Bloom filter or by a cached absence; neither costs a query.",
            query(rate("chokepoint_cache_bloom_rejections_total", "cache"), "Bloom filter, {{cache}}"),
            query(rate("chokepoint_cache_absences_total", "cache"), "absence, {{cache}}"),
        ),
        graph(
            "Cache errors",
            "ops",
            "Calls that failed or were left out because Redis is down, and waits for another instance's load that were in vain. 0, unless Redis is down.",
            query(rate("chokepoint_cache_errors_total", "cache"), "errors, {{cache}}"),
            query(rate("chokepoint_cache_lock_failures_total", "cache"), "in vain, {{cache}}"),
        ),
        graph(
            "Password hashes",
            "ops",
            "Of log-ins and registrations; held is /api/v1, async is /api/v2.",
            query(rate("chokepoint_password_hashes_total", "model"), "{{model}}"),
        ),
        graph(
            "Time of a hash",
            "s",
            "A hash takes as long as BCRYPT_COST makes it. Waiting is for a core: no more are hashed at a time than there are cores.",
            query(mean("chokepoint_password_hash_seconds", "instance"), "hash, {{instance}}"),
            query(mean("chokepoint_password_hash_wait_seconds", "instance"), "wait, {{instance}}"),
        ),
        graph(
            "Refused: limits",
            "reqps",
            "Requests answered with 429, by limit; and v1 requests that no thread ran. 0 in a lab.",
            query(seldom("chokepoint_rate_limited_total", "limit"), "429, {{limit}}"),
            query(seldom("chokepoint_v1_not_run_total", "reason"), "v1 not run, {{reason}}"),
        ),
    )


def ingest(to: Numbered) -> None:
    to.row("Log ingest")
    to.add(
        graph(
            "Lines",
            "ops",
            "Lines committed a second, by level.",
            query(rate("chokepoint_ingest_lines_total", "level"), "{{level}}"),
            span=6,
        ),
        graph(
            "Waiting lines",
            "short",
            "Accepted and not yet committed. At the limit the answer is 503.",
            query(gauge("chokepoint_ingest_queue_lines", "instance"), "waiting, {{instance}}"),
            query(gauge("chokepoint_ingest_queue_capacity_lines", "instance"), "limit, {{instance}}"),
            span=6,
            limit="limit.*",
        ),
        graph(
            "Lines of a transaction",
            "short",
            "Group commit: grows with load, and with it the lines that one flush carries.",
            query(mean("chokepoint_ingest_group_lines", "instance"), "{{instance}}"),
            span=6,
        ),
        graph(
            "Commit, p95",
            "s",
            "From BEGIN to the end of the flush to disk.",
            query(quantile(0.95, "chokepoint_ingest_commit_seconds", "instance"), "{{instance}}"),
            query(
                rate("chokepoint_ingest_refused_requests_total", "instance"), "refused a second, {{instance}}"
            ),
            span=6,
        ),
    )
