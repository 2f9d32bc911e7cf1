"""Variables and annotations of every dashboard."""

from grafana_foundation_sdk.builders import dashboard, prometheus
from grafana_foundation_sdk.models import dashboard as model

from parts import PROMETHEUS, Numbered


def chosen(text: str, value: str) -> model.VariableOption:
    return model.VariableOption(selected=True, text=text, value=value)


def variables(to: Numbered) -> None:
    source = dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus")
    to.made.with_variable(source.current(chosen("Prometheus", "prometheus")))


def ops(to: Numbered) -> None:
    """Last of all: most people never change it."""
    where = dashboard.TextBoxVariable("ops").label("Ops address").default_value("127.0.0.1:8001")
    where.description("Where the links to /debug/traces lead: host and port of the ops port.")
    to.made.with_variable(where.current(chosen("127.0.0.1:8001", "127.0.0.1:8001")))


def annotations(to: Numbered) -> None:
    """Runs by what k6 counts, so nobody must write annotations; alerts by what Prometheus evaluates."""
    runs = 'sum by (testid, lab, variant) (rate(k6_http_reqs_total{lab!=""}[15s])) > 0'
    to.made.annotation(mark("Lab runs", runs, "{{lab}} {{variant}}", "testid {{testid}}", "blue"))
    runs = 'sum by (testid, version) (rate(k6_http_reqs_total{version!=""}[15s])) > 0'
    to.made.annotation(mark("Todo runs", runs, "todos {{version}}", "testid {{testid}}", "purple"))
    firing = 'sum by (alertname) (ALERTS{alertstate="firing"})'
    to.made.annotation(mark("Alerts", firing, "{{alertname}}", "docs/runbooks.md", "orange"))


def mark(name: str, expression: str, title: str, text: str, color: str) -> dashboard.AnnotationQuery:
    made = dashboard.AnnotationQuery().name(name).datasource(PROMETHEUS).enable(True).hide(False)
    made.icon_color(color).expr(expression).title_format(title).text_format(text).step("2s")
    return made.target(prometheus.Dataquery().ref_id("Anno").expr(expression).datasource(PROMETHEUS))
