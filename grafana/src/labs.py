"""Content of the labs' evidence files for the dashboards: thresholds to restate."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from costs import COSTS, LISTED, TRENDS

FILES = sorted((Path(__file__).parents[2] / "src/labs").glob("*/*/lab.json"))
LABS = {file.parent.name.replace("_", "-"): json.loads(file.read_text()) for file in FILES}

# Counters of the labs' own, which k6/lab.js finds in the same way.
OWN = {
    name
    for lab in LABS.values()
    for side in lab["evidence"].values()
    for name in side["counters"]
    if name not in {one["json"] for one in LISTED}
}

# k6 gives milliseconds; its Prometheus output makes seconds of them and says so in the name.
TIMES = {"http_req_duration", "iteration_duration", *(name for name in TRENDS if COSTS[name].is_time)}


@dataclass(frozen=True)
class Threshold:
    """One threshold of one lab's gate, as k6/lab.js puts it together."""

    lab: str
    metric: str
    expression: str
    # Of the run's load; empty where it holds for each.
    profile: str = ""

    def parts(self) -> tuple[str, str, float]:
        """Aggregation, comparison and limit, in the unit that Prometheus has."""
        found = re.fullmatch(r"(p\(\d+\)|avg|max|count|rate)(<=|<|>=|>|==)([\d.]+)", self.expression)
        if not found:
            raise ValueError(f"{self.lab}: no expression of Prometheus for {self.metric}: {self.expression}")
        aggregation, comparison, limit = found.groups()
        if comparison == "<=" and float(limit) == 0:
            # The zeros of a native histogram are in a bucket that ends just above 0; the next count is 1.
            return aggregation, comparison, 0.5
        return aggregation, comparison, float(limit) / (1000 if self.metric in TIMES else 1)

    def series(self) -> str:
        """The name that k6 gives the metric in Prometheus."""
        if self.metric in TIMES:
            return f"k6_{self.metric}_seconds"
        if self.metric in TRENDS or self.metric in OWN:
            return f"k6_{self.metric}"
        if self.metric.startswith("status_"):
            return f"k6_{self.metric}_rate"
        names = {"checks": "k6_checks_rate", "http_reqs": "k6_http_reqs_total"}
        if self.metric not in names:
            raise ValueError(f"{self.lab}: no series of Prometheus for the threshold on {self.metric}")
        return names[self.metric]


def thresholds() -> list[Threshold]:
    """Those of every lab, and those that k6/lab.js adds to each."""
    found = []
    for lab, evidence in LABS.items():
        for metric, expressions in evidence["gate"]["thresholds"].items():
            found += [Threshold(lab, metric, expression) for expression in expressions]
        found.append(Threshold(lab, "checks", "rate==1"))
        statuses = evidence["answer"]["statuses"]
        for status, share in statuses.items() if len(statuses) > 1 else ():
            ends = {"min": ">=", "max": "<="}
            found += [Threshold(lab, f"status_{status}", f"rate{ends[end]}{share[end]:g}") for end in share]
        for profile, load in evidence["load"].items():
            found.append(Threshold(lab, "http_reqs", f"count>={load['min_requests']}", profile))
    return found
