"""Sends every expression of a dashboard to Prometheus, for every choice of its variables, and judges the answers."""

import itertools
import math
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator

from prometheus import Prometheus, Refused
from shape import names_in, panels
from variables import choices, fill, label_values, left_over, of_time

# A limit is drawn where the lab has one: it needs an answer for one choice, everything else for each.
MAY_LACK = "limit of "


class Verifier:
    def __init__(self, prometheus: Prometheus, scrape: float, given: dict[str, str]) -> None:
        self.prometheus, self.given = prometheus, given
        self.step, self.time = of_time(prometheus.start, prometheus.end, scrape)
        self.counts = {"expressions": 0, "series": 0, "links": 0, "traces": 0}

    def complaints(self, dashboard: dict) -> Iterator[str]:
        names, offered = [], []
        for variable in dashboard["templating"]["list"]:
            known = self.time | dict(zip(names, (values[0] for values in offered), strict=True))
            values = self.choices(variable, known)
            if isinstance(values, str):
                yield values
                return
            names.append(variable["name"])
            offered.append(values)
        every = [self.time | dict(zip(names, values, strict=True)) for values in itertools.product(*offered)]
        for where, expression, legend, instant, links in expressions(dashboard):
            self.counts["expressions"] += 1
            found = [
                c for values in every for c in self.judge(where, expression, legend, instant, links, values)
            ]
            if (
                legend.startswith(MAY_LACK)
                and 0 < len(found) < len(every)
                and all(c.startswith("empty") for c in found)
            ):
                continue
            # Each once, although each choice says it.
            yield from dict.fromkeys(found)

    def choices(self, variable: dict, known: dict[str, str]) -> list[str] | str:
        name = variable["name"]
        if name in self.given:
            return [self.given[name]]
        if variable["type"] == "query":
            selector, _ = label_values(fill(variable["query"], known))
            if unknown := self.unknown(selector):
                return f"unknown name: variable {name!r}: {unknown}"
        values = choices(variable, self.prometheus, known)
        return values or f"empty: variable {name!r}"

    def unknown(self, expression: str) -> str:
        return ", ".join(sorted(names_in(expression) - self.prometheus.names))

    def judge(
        self, where: str, expression: str, legend: str, instant: bool, links: list, values: dict
    ) -> Iterator[str]:
        filled = fill(expression, values)
        if variable := left_over(filled):
            yield f"leftover variable: {where}: {variable}"
            return
        if unknown := self.unknown(filled):
            yield f"unknown name: {where}: {unknown}"
            return
        try:
            series = self.prometheus.instant(filled) if instant else self.prometheus.range(filled, self.step)
        except Refused as error:
            yield f"query error: {where}: {error}"
            return
        if not series:
            yield f"empty: {where}"
            return
        self.counts["series"] += len(series)
        if bad := next(filter(None, map(no_number, series)), None):
            yield f"no number: {where}: {bad}"
        named = re.findall(r"\{\{\s*(\w+)\s*\}\}", legend)
        for label in named:
            if not all(label in one["metric"] for one in series):
                yield f"unknown label: {where}: legend {legend!r}"
        for link in links:
            yield from self.follow(f"{where}, link {link['title']!r}", link["url"], series[0]["metric"], values)

    def follow(self, where: str, url: str, labels: dict[str, str], values: dict[str, str]) -> Iterator[str]:
        """To where a click on a point of this series leads."""
        url = re.sub(r"\$\{__field\.labels\.(\w+)\}", lambda found: labels.get(found[1], found[0]), url)
        url = fill(url, values)
        if variable := left_over(url):
            yield f"leftover variable: {where}: {variable}"
        elif url.startswith("http"):
            self.counts["links"] += 1
            try:
                with urllib.request.urlopen(urllib.parse.quote(url, safe=":/?&=%"), timeout=30) as answer:
                    self.counts["traces"] += answer.read().count(b'"trace_id"')
            except urllib.error.URLError as error:
                yield f"dead link: {where}: {error}"


def expressions(dashboard: dict) -> Iterator[tuple[str, str, str, bool, list]]:
    for panel in panels(dashboard):
        links = panel["fieldConfig"]["defaults"].get("links", [])
        for target in panel["targets"]:
            where = f"panel {panel['title']!r}, query {target['refId']}"
            yield where, target["expr"], target.get("legendFormat", ""), target.get("instant", False), links
    for annotation in dashboard["annotations"]["list"]:
        title = annotation["titleFormat"] + annotation["textFormat"]
        yield f"annotation {annotation['name']!r}", annotation["target"]["expr"], title, False, []


def no_number(series: dict) -> str | None:
    """The first value that is NaN or infinite. A native histogram is judged by its count and sum."""
    points = series.get("values") or [series["value"]] if "value" in series or "values" in series else []
    numbers = [number for _, number in points]
    histograms = series.get("histograms") or ([series["histogram"]] if "histogram" in series else [])
    numbers += [histogram[key] for _, histogram in histograms for key in ("count", "sum")]
    return next((number for number in numbers if not math.isfinite(float(number))), None)
