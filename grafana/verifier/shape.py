"""What can be said of a dashboard without Prometheus: ids, texts, units, data sources, overlaps."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import yaml

KEYWORDS = {"and", "or", "unless", "bool", "offset", "inf", "nan", "atan2", "start", "end"}


def panels(dashboard: dict) -> Iterator[dict]:
    for panel in dashboard["panels"]:
        if panel["type"] == "row" and panel.get("panels"):
            raise ValueError(f"row {panel['title']!r}: the verifier knows no rows that hold panels")
        if panel["type"] != "row":
            yield panel


def provisioned(folder: Path) -> dict[str, str]:
    """uid → type of each provisioned data source; what they name of each other must be there."""
    files = [yaml.safe_load(file.read_text()) for file in sorted(folder.glob("*.yml"))]
    sources = {source["uid"]: source["type"] for file in files for source in file["datasources"]}
    named = set(re.findall(r"'datasourceUid': '(\w+)'", str(files)))
    if missing := named - sources.keys():
        raise ValueError(f"{folder}: no data source {', '.join(missing)}")
    return sources


def names_in(expression: str) -> set[str]:
    """Metric names in a PromQL expression."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', expression)
    bare = re.sub(r"\{[^}]*\}|\[[^]]*\]", " ", bare)
    bare = re.sub(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", " ", bare)
    bare = re.sub(r"\boffset\s+\w+", " ", bare)
    words = re.findall(r"(?<![\w:.])([A-Za-z_:][\w:]*)\b(?!\s*\()", bare)
    return {word for word in words if word.lower() not in KEYWORDS}


def overlap(one: dict, other: dict) -> bool:
    a, b = one["gridPos"], other["gridPos"]
    return (
        a["x"] < b["x"] + b["w"]
        and b["x"] < a["x"] + a["w"]
        and a["y"] < b["y"] + b["h"]
        and b["y"] < a["y"] + a["h"]
    )


def complaints(dashboard: dict, sources: dict[str, str]) -> Iterator[str]:
    chosen = {
        v["name"]: v["current"]["value"] for v in dashboard["templating"]["list"] if v["type"] == "datasource"
    }

    def unknown(source: dict | None) -> str | None:
        if not source:
            return "none"
        uid = chosen.get(source["uid"].strip("${}"), source["uid"])
        return None if sources.get(uid) == source["type"] else f"{source['type']} {source['uid']}"

    found = list(panels(dashboard))
    for panel_id, times in Counter(panel["id"] for panel in dashboard["panels"]).items():
        if times > 1:
            yield f"duplicate panel id: {panel_id}"
    for place, panel in enumerate(found):
        where = f"panel {panel.get('title') or panel['id']!r}"
        if not panel.get("title"):
            yield f"no title: {where}"
        if not panel.get("description"):
            yield f"no description: {where}"
        if not panel.get("fieldConfig", {}).get("defaults", {}).get("unit"):
            yield f"no unit: {where}"
        if not panel.get("targets"):
            yield f"no query: {where}"
        refs = Counter(target["refId"] for target in panel.get("targets", []))
        if any(times > 1 for times in refs.values()):
            yield f"duplicate query id: {where}"
        for asked in [panel, *panel.get("targets", [])]:
            if source := unknown(asked.get("datasource")):
                yield f"unknown data source: {where}: {source}"
        for other in found[:place]:
            if overlap(panel, other):
                yield f"panels overlap: {where} and {other['title']!r}"
    for annotation in dashboard["annotations"]["list"]:
        if source := unknown(annotation.get("datasource")):
            yield f"unknown data source: annotation {annotation['name']!r}: {source}"
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query" and (source := unknown(variable.get("datasource"))):
            yield f"unknown data source: variable {variable['name']!r}: {source}"
    yield from explore_links(found, sources)


def explore_links(found: list[dict], sources: dict[str, str]) -> Iterator[str]:
    """A link to Explore carries JSON that names its data source."""
    for panel in found:
        for link in panel["fieldConfig"]["defaults"].get("links", []):
            if not link["url"].startswith("/explore?"):
                continue
            for pane in json.loads(link["url"].split("panes=", 1)[1]).values():
                for asked in [pane["datasource"], *(query["datasource"]["uid"] for query in pane["queries"])]:
                    if asked not in sources:
                        yield f"unknown data source: link {link['title']!r} of panel {panel['title']!r}: {asked}"
