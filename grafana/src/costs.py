"""Cost counters of the server, from the list that its table writes, and how each looks on slow and on fast."""

import json
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).parents[2] / "k6/lib/counters.json"

TITLES = {
    **{"cpu": "CPU", "off_cpu": "Off-CPU", "db": "Database", "upstream": "Other services"},
    "allocated_bytes": "Allocated",
}
LOOKS = {
    "queries": "The N+1 in one number. Slow: 101 or 201. Fast: 1 or 2.",
    "rows": "Slow of blocking-n-plus-one: 200. Fast: 100.",
    "switches": "Slow of the blocking labs: over 100. Fast: next to 0. /api/v1 may: its threads are made to wait.",
    "busy": "Slow of the blocking labs: 2 s. Fast: ms.",
    "cpu": "Slow of the blocking labs: ms, of 2 s busy.",
    "off_cpu": "Slow of the blocking labs: all of the 2 s. Fast: 0.",
    "longest_poll": "Over 0.01 s every other request of that worker waits.",
    "db": "Slow of n-plus-one: most of its time. Slow of hidden-blocking: next to none.",
    "pool_wait": "Near 0 on both, until more ask than there are connections.",
    "queue_wait": "v2 and the labs have no such queue: 0.",
    "blocking_wait": "Slow and fast hand nothing to that pool: 0. A fix by spawn_blocking waits here once all threads are taken.",
    "lock_wait": "Slow and fast only read, and wait for no lock: 0.",
    "allocated_bytes": "Slow of n-plus-one: more than fast, because each query allocates.",
    "upstream": "Slow and fast call no other service: 0.",
}


@dataclass(frozen=True)
class Cost:
    """One counter of the table."""

    name: str
    # Its histogram on /metrics, if it has one.
    metric: str | None
    is_time: bool
    help: str

    def title(self) -> str:
        return TITLES.get(self.name, self.name.replace("_", " ").capitalize())

    def unit(self) -> str:
        if self.is_time:
            return "s"
        return "bytes" if self.name.endswith("bytes") else "short"

    def description(self) -> str:
        return f"{self.help} {LOOKS.get(self.name, '')}".strip()


LISTED = json.loads(FILE.read_text())
COSTS = {one["name"]: Cost(one["name"], one["metric"], one["unit"] == "time", one["help"]) for one in LISTED}
# Those that k6 reads from Server-Timing.
TRENDS = {one["name"] for one in LISTED if one["label"]}
if unknown := (TITLES.keys() | LOOKS.keys()) - COSTS.keys():
    raise ValueError(f"{FILE.name} has no {', '.join(sorted(unknown))}")
