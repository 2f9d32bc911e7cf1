"""Whether the panel "Thresholds" says of each run what k6 itself said.

    python3 grafana/verifier/verdicts.py http://127.0.0.1:9090 1700000060 slow=outcome.json …

Each pair is a testid and what k6/lab-outcome.js wrote of that run.
"""

import json
import sys
from pathlib import Path

from prometheus import Prometheus
from variables import fill

BOARD = Path(__file__).parents[1] / "dashboards/k6-run.json"


def restated(prometheus: Prometheus, testid: str) -> dict[str, bool]:
    panels = json.loads(BOARD.read_text())["panels"]
    (target,) = next(panel for panel in panels if panel["title"] == "Thresholds")["targets"]
    series = prometheus.instant(fill(target["expr"], {"testid": testid}))
    return {f"{s['metric']['metric']} {s['metric']['threshold']}": s["value"][1] == "1" for s in series}


def main() -> int:
    url, at, *pairs = sys.argv[1:]
    prometheus, wrong, compared = Prometheus(url, float(at) - 60, float(at)), 0, 0
    for pair in pairs:
        testid, file = pair.split("=", 1)
        outcome = json.loads(Path(file).read_text())
        said = {f"{t['metric']} {t['expression']}": t["held"] for t in outcome["thresholds"]}
        shown = restated(prometheus, testid)
        compared += len(said)
        differ = [name for name in said | shown if said.get(name) != shown.get(name)]
        wrong += bool(differ)
        for name in differ:
            print(f"{testid}: {name}: held is {said.get(name)} for k6, {shown.get(name)} on the dashboard")
        print(f"{testid}: crossed {', '.join(name for name, held in shown.items() if not held) or 'none'}")
    print(
        f"{compared} thresholds of {len(pairs)} runs, the dashboard says what k6 said of {len(pairs) - wrong} runs"
    )
    return 1 if wrong or not pairs else 0


if __name__ == "__main__":
    sys.exit(main())
