"""Verifies dashboards against a Prometheus that has seen one clean and one failing run of k6.

    python3 grafana/verifier --prometheus http://127.0.0.1:9090 --from 1700000000 --to 1700000060 --set ops=127.0.0.1:8001

Exits with 1 if anything is wrong with any dashboard.
"""

import json
import sys

from checked import FOLDER, checked, options


def main() -> int:
    asked = options(__doc__)
    files = asked.dashboards or sorted((FOLDER / "dashboards").glob("*.json"))
    found = checked(asked, [(file, json.loads(file.read_text())) for file in files])
    counts = found.verifier.counts
    if counts["links"] and not counts["traces"]:
        found.complaints.append("dead links: not one leads to a trace")
    for line in found.complaints:
        print(line)
    print(
        f"{len(files)} dashboards, {found.panels} panels, {counts['expressions']} expressions, "
        f"{found.verifier.prometheus.asked} queries sent, {counts['series']} series, "
        f"{counts['links']} links followed to {counts['traces']} traces, {len(found.complaints)} wrong"
    )
    return 1 if found.complaints else 0


if __name__ == "__main__":
    sys.exit(main())
