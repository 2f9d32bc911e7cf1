"""Variables as Grafana fills them in before a query is sent to Prometheus."""

import re

from prometheus import Prometheus

REFERENCE = re.compile(r"\$(\w+)|\$\{(\w+)(?::\w+)?\}|\[\[(\w+)\]\]")
# `$1` is label_replace's.
LEFT_OVER = re.compile(r"\$\{?[A-Za-z_]\w*|\[\[\w+")


def fill(text: str, values: dict[str, str]) -> str:
    """What has no value stays as it is, as in Grafana."""

    def value(found: re.Match) -> str:
        return values.get(next(filter(None, found.groups())), found.group())

    return REFERENCE.sub(value, text)


def left_over(text: str) -> str | None:
    found = LEFT_OVER.search(text)
    return found.group() if found else None


def of_time(start: float, end: float, scrape: float, points: int = 1000) -> tuple[float, dict[str, str]]:
    """The step of a panel `points` wide, and the variables that Grafana makes of it.

    $__rate_interval is the larger of step + scrape interval and four scrape intervals.
    """
    step = max(scrape, round((end - start) / points))
    span = round(end - start)
    return step, {
        "__interval": f"{step:g}s",
        "__interval_ms": f"{step * 1000:g}",
        "__rate_interval": f"{max(step + scrape, 4 * scrape):g}s",
        "__range": f"{span}s",
        "__range_s": f"{span}",
        "__range_ms": f"{span * 1000}",
        "__from": f"{start * 1000:.0f}",
        "__to": f"{end * 1000:.0f}",
    }


def escaped(value: str) -> str:
    """For a regular expression in a PromQL string: Grafana does so where a variable may hold several values."""
    return re.sub(r"[\\^$*+?.()|\[\]{}']", r"\\\\\g<0>", value)


def label_values(query: str) -> tuple[str, str]:
    """Selector and label of `label_values(selector, label)`."""
    found = re.fullmatch(r"label_values\((.+),\s*(\w+)\)", query)
    if not found:
        raise ValueError(f"the verifier knows variables by label_values(…), not {query}")
    return found[1], found[2]


def choices(variable: dict, prometheus: Prometheus, known: dict[str, str]) -> list[str]:
    """Every value that the variable can have, as it stands in a query."""
    kind, asked = variable["type"], variable.get("query", "")
    if kind in ("textbox", "datasource"):
        return [variable["current"]["value"]]
    if kind != "query":
        raise ValueError(f"variable {variable['name']}: the verifier knows no variable of type {kind}")
    selector, label = label_values(fill(asked, known))
    values = prometheus.label_values(label, selector)
    if not variable.get("multi"):
        return values
    values = [escaped(value) for value in values]
    return [*values, "(" + "|".join(values) + ")"] if values else []
