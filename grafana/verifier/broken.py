"""Tests the verifier: dashboards broken in one way each must be refused for that reason and no other.

Takes the same options as the verifier. Runs against the same Prometheus, as most of it needs answers.
"""

import copy
import json
import sys
from collections.abc import Callable
from pathlib import Path

from checked import FOLDER, checked, options

Break = Callable[[dict, dict], None]


def target(of: str) -> Break:
    """Puts another expression into the first query of the panel."""

    def broken(_: dict, panel: dict) -> None:
        panel["targets"][0]["expr"] = of

    return broken


def of_panel(**changes) -> Break:
    return lambda _, panel: panel.update(changes)


def no_unit(_: dict, panel: dict) -> None:
    del panel["fieldConfig"]["defaults"]["unit"]


def twin(dashboard: dict, panel: dict) -> None:
    dashboard["panels"][-1]["id"] = panel["id"]


def same_query(_: dict, panel: dict) -> None:
    panel["targets"].append(copy.deepcopy(panel["targets"][0]))


def link(url: str) -> Break:
    def broken(_: dict, panel: dict) -> None:
        panel["fieldConfig"]["defaults"]["links"][0]["url"] = url

    return broken


def legend(_: dict, panel: dict) -> None:
    panel["targets"][0]["legendFormat"] = "{{path}}"


def annotation(expression: str) -> Break:
    def broken(dashboard: dict, _: dict) -> None:
        dashboard["annotations"]["list"][0]["target"]["expr"] = expression

    return broken


def variable(query: str) -> Break:
    def broken(dashboard: dict, _: dict) -> None:
        asked = copy.deepcopy(dashboard["templating"]["list"][0])
        asked |= {
            "name": "broken",
            "type": "query",
            "query": query,
            "datasource": dashboard["panels"][1]["datasource"],
        }
        dashboard["templating"]["list"].append(asked)

    return broken


def limit(_: dict, panel: dict) -> None:
    panel["targets"][0] |= {
        "expr": f"{RATE} > 1e9",
        "legendFormat": "limit of {{variant}}",
    }


# By the labels of the panel's legend and links.
RATE = 'sum by (lab, variant, route) (route:axum_http_requests:rate10s{lab="$lab"})'
UP = 'up{job="chokepoint"}'
NOWHERE = {"type": "prometheus", "uid": "nowhere"}
LOKI = {"type": "prometheus", "uid": "loki"}
BROKEN: list[tuple[str, str, Break]] = [
    ("query error", "a bracket is missing", target(f"sum(rate({UP}[1m])")),
    (
        "query error",
        "two series for one label set",
        target("axum_http_requests_total * on (method) axum_http_requests_total"),
    ),
    ("empty", "no series has this label", target('sum by (route) (up{job="checkpoint"})')),
    ("empty", "no value is so large", target(f"{RATE} > 1e9")),
    ("empty", "a limit that no lab has", limit),
    ("no number", "0 / 0", target(f"0 * {RATE} / 0")),
    ("no number", "1 / 0", target(f"(1 + {RATE}) / 0")),
    ("unknown name", "a letter is missing", target("sum by (route) (rate(chokepoint_request_querie_sum[1m]))")),
    (
        "unknown name",
        "one of two names, and the other answers",
        target(f"{RATE} or k6_http_reqs_count"),
    ),
    (
        "leftover variable",
        "nobody defines it",
        target('sum by (route) (route:axum_http_requests:rate10s{route=~"$route_"})'),
    ),
    (
        "leftover variable",
        "a built-in of another name",
        target("sum by (route) (rate(chokepoint_request_queries_sum[${__rate}]))"),
    ),
    ("unknown label", "the legend", legend),
    ("unknown data source", "no such uid", of_panel(datasource=NOWHERE)),
    ("unknown data source", "of another type", of_panel(datasource=LOKI)),
    ("unknown data source", "none", of_panel(datasource=None)),
    ("unknown data source", "behind a link", link('/explore?panes={"a":{"datasource":"zipkin","queries":[]}}')),
    ("duplicate panel id", "the last is named as the first", twin),
    ("duplicate query id", "twice A", same_query),
    ("no unit", "none", no_unit),
    ("no description", "empty", of_panel(description="")),
    ("no title", "empty", of_panel(title="")),
    ("no query", "none", of_panel(targets=[])),
    ("panels overlap", "over its neighbour", of_panel(gridPos={"h": 6, "w": 12, "x": 0, "y": 1})),
    ("dead link", "no such page", link("http://${ops}/debug/trace?variant=${__field.labels.variant}")),
    ("dead link", "times in the wrong order", link("http://${ops}/debug/traces?from=${__to}&to=${__from}")),
    (
        "leftover variable",
        "a link by a label that no series has",
        link("http://${ops}/debug/traces?lab=${__field.labels.path}"),
    ),
    ("empty", "an annotation", annotation('sum by (testid, lab, variant) (k6_vus{testid="none"})')),
    ("unknown name", "an annotation", annotation("k6_runs")),
    ("empty", "a variable", variable('label_values(up{job="checkpoint"}, instance)')),
    ("unknown name", "a variable", variable("label_values(k6_runs, testid)")),
]


def main() -> int:
    asked, wrong = options(__doc__), 0
    file = FOLDER / "dashboards/slow-against-fast.json"
    good = json.loads(file.read_text())
    for reason, how, broken in [("", "as it is", lambda *_: None), *BROKEN]:
        dashboard = copy.deepcopy(good)
        broken(dashboard, dashboard["panels"][1])
        said = checked(asked, [(Path("broken.json"), dashboard)]).complaints
        reasons = {line.split(": ")[1] for line in said}
        if reasons != ({reason} if reason else set()):
            wrong += 1
            print(f"{reason or 'good'} ({how}): said {said or 'nothing'}")
    print(f"{len(BROKEN)} broken dashboards, {len(BROKEN) - wrong} refused for what is wrong with them")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
