"""Writes grafana/dashboards/*.json. With a folder as argument, there instead."""

import json
import sys
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

import k6_run
import runtime
import slow_against_fast

DASHBOARDS = {"slow-against-fast": slow_against_fast, "k6-run": k6_run, "runtime": runtime}


def unplaced(value):
    """Without the SDK's only placement: it would hide links and annotations in a menu."""
    if isinstance(value, dict):
        return {
            key: unplaced(one) for key, one in value.items() if key != "placement" or one != "inControlsMenu"
        }
    return [unplaced(one) for one in value] if isinstance(value, list) else value


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "dashboards"
    for name, module in DASHBOARDS.items():
        plain = json.loads(json.dumps(module.build().build(), cls=JSONEncoder))
        text = json.dumps(unplaced(plain), indent=2, sort_keys=True)
        (folder / f"{name}.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
