"""Options of the verifier, and one pass of it over some dashboards."""

import argparse
import re
from dataclasses import dataclass
from pathlib import Path

from answers import Verifier
from prometheus import Prometheus
from shape import complaints, panels, provisioned

FOLDER = Path(__file__).parents[1]


def pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(f"{text} is not NAME=VALUE")
    return name, value


def options(description: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--prometheus", required=True, help="its address")
    parser.add_argument("--from", dest="start", type=float, required=True, help="seconds since the epoch")
    parser.add_argument("--to", dest="end", type=float, required=True, help="seconds since the epoch")
    parser.add_argument(
        "--set", action="append", default=[], type=pair, metavar="NAME=VALUE", help="a variable's only value"
    )
    parser.add_argument(
        "dashboards", nargs="*", type=Path, help="files; all of grafana/dashboards if none is given"
    )
    return parser.parse_args()


def scrape_interval(folder: Path) -> float:
    """What Grafana takes it for: the data source's setting."""
    return float(re.search(r"timeInterval: (\d+)s", (folder / "prometheus.yml").read_text())[1])


@dataclass
class Checked:
    complaints: list[str]
    panels: int
    verifier: Verifier


def checked(asked: argparse.Namespace, dashboards: list[tuple[Path, dict]]) -> Checked:
    sources = FOLDER / "provisioning/datasources"
    given = dict(asked.set)
    prometheus = Prometheus(asked.prometheus, asked.start, asked.end)
    found = Checked([], 0, Verifier(prometheus, scrape_interval(sources), given))
    for file, dashboard in dashboards:
        said = list(complaints(dashboard, provisioned(sources)))
        # An expression can't be judged in a dashboard that is not in order.
        said = said or list(found.verifier.complaints(dashboard))
        found.complaints += [f"{file.stem}: {line}" for line in said]
        found.panels += len(list(panels(dashboard)))
    return found
