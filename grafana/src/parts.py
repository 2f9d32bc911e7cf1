"""Panels, variables and annotations as all dashboards here have them."""

import json

from grafana_foundation_sdk.builders import (
    bargauge,
    common as common_builder,
    dashboard,
    heatmap,
    prometheus,
    stat,
    timeseries,
)
from grafana_foundation_sdk.models import common, dashboard as model

PROMETHEUS = common.DataSourceRef(type_val="prometheus", uid="${datasource}")
SLOW, FAST, YOURS = "red", "green", "blue"


def query(expression: str, legend: str, instant: bool = False) -> prometheus.Dataquery:
    made = prometheus.Dataquery().datasource(PROMETHEUS).expr(expression).legend_format(legend)
    return made.instant() if instant else made.range()


def traces(asked: str) -> list[dashboard.DashboardLink]:
    """From a point of a panel to the requests of that time, kept by the server or in Tempo."""
    between = "from=${__from}&to=${__to}"
    kept = dashboard.DashboardLink("Slowest requests, on the ops port")
    return [kept.url(f"http://${{ops}}/debug/traces?{asked}&{between}").target_blank(True)]


def in_tempo() -> dashboard.DashboardLink:
    """By the label `route`: a span has neither lab nor variant."""
    tempo = {"type": "tempo", "uid": "tempo"}
    by_route = '{ span.http.route = "${__field.labels.route}" }'
    asked = {"refId": "A", "datasource": tempo, "queryType": "traceql", "query": by_route}
    pane = {"datasource": "tempo", "queries": [asked], "range": {"from": "${__from}", "to": "${__to}"}}
    panes = json.dumps({"traces": pane}, separators=(",", ":"))
    return dashboard.DashboardLink("Traces, in Tempo").url(f"/explore?schemaVersion=1&panes={panes}")


def of_route() -> list[dashboard.DashboardLink]:
    return [*traces("route=${__field.labels.route}"), in_tempo()]


def of_variant() -> list[dashboard.DashboardLink]:
    return traces("lab=${__field.labels.lab}&variant=${__field.labels.variant}")


def colored(panel):
    """Slow and v1 red, fast and v2 green, one's own blue, whatever else the name says."""
    for names, color in (("slow|v1", SLOW), ("fast|v2", FAST), ("yours", YOURS)):
        fixed = model.DynamicConfigValue("color", {"mode": "fixed", "fixedColor": color})
        panel.override_by_regexp(f"/{names}/", [fixed])
    return panel


def dashed(panel, name: str):
    """A limit beside what it limits."""
    line = {"fill": "dash", "dash": [8, 6]}
    looks = [("custom.lineStyle", line), ("color", {"mode": "fixed", "fixedColor": "text"})]
    return panel.override_by_regexp(f"/{name}/", [model.DynamicConfigValue(*look) for look in looks])


def told(panel, title: str, unit: str, description: str, queries, span: int, height: int):
    panel.title(title).description(description).unit(unit).span(span).height(height)
    panel.datasource(PROMETHEUS)
    for place, asked in enumerate(queries):
        panel.with_target(asked.ref_id(chr(ord("A") + place)))
    return panel


def graph(title: str, unit: str, description: str, *queries, span=8, links=(), limit=None):
    panel = told(timeseries.Panel(), title, unit, description, queries, span, 8)
    panel.min(0).line_width(2).fill_opacity(8).show_points(common.VisibilityMode.AUTO)
    # A run of 10 s leaves gaps around it, which are no zeros.
    panel.span_nulls(False).data_links(list(links))
    legend = common_builder.VizLegendOptions().display_mode(common.LegendDisplayMode.TABLE)
    legend.placement(common.LegendPlacement.BOTTOM).show_legend(True).calcs(["lastNotNull", "max"])
    panel.legend(legend)
    panel.tooltip(common_builder.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI))
    return dashed(colored(panel), limit) if limit else colored(panel)


def bars(title: str, unit: str, description: str, asked, span=6, links=()):
    panel = told(bargauge.Panel(), title, unit, description, [asked], span, 6)
    panel.min(0).data_links(list(links)).orientation(common.VizOrientation.HORIZONTAL)
    panel.reduce_options(common_builder.ReduceDataOptions().calcs(["lastNotNull"]))
    return colored(panel)


def number(title: str, unit: str, description: str, *queries, span=4, height=4, links=()):
    panel = told(stat.Panel(), title, unit, description, queries, span, height)
    panel.reduce_options(common_builder.ReduceDataOptions().calcs(["lastNotNull"]))
    return panel.graph_mode(common.BigValueGraphMode.NONE).data_links(list(links))


def heat(title: str, unit: str, description: str, asked, span=12):
    panel = told(heatmap.Panel(), title, unit, description, [asked], span, 8)
    return panel.calculate(False).y_axis(heatmap.YAxisConfig().unit(unit))


class Numbered:
    """A dashboard whose panels get their ids in the order in which they are added."""

    def __init__(self, uid: str, title: str, description: str) -> None:
        self.made = dashboard.Dashboard(title).uid(uid).description(description)
        self.made.tags(["chokepoint"]).timezone("browser").readonly()
        self.made.time("now-5m", "now").refresh("5s").tooltip(model.DashboardCursorSync.CROSSHAIR)
        others = dashboard.DashboardLink("Chokepoint").type(model.DashboardLinkType.DASHBOARDS)
        self.made.link(others.tags(["chokepoint"]).keep_time(True).as_dropdown(True))
        self.last = 0

    def row(self, title: str) -> None:
        self.last += 1
        self.made.with_row(dashboard.Row(title).id(self.last))

    def add(self, *panels) -> None:
        for panel in panels:
            self.last += 1
            self.made.with_panel(panel.id(self.last))
