"""Every recording rule and every alert is tested, and its tests notice when it says something else.

Each alert has a test in which it fires and one in which it is silent, and a runbook that exists. Then
each rule by itself is made wrong, and promtool must fail: each bound of an alert half and twice as
high, an alert without its `for`, a recording rule with another value. Called by .ci/checks/rules, with
the repository as its working directory.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml

BOUND = re.compile(r"(?<=[>=] )[\d.]+")


def rules_of(folder):
    """(file, place, rule) for each rule."""
    for file in sorted((folder / "rules").glob("*.yml")):
        text = yaml.safe_load(file.read_text())
        for g, group in enumerate(text["groups"]):
            for r, rule in enumerate(group["rules"]):
                yield file, (g, r), rule


def anchors(markdown):
    """The anchors that GitHub makes of headings."""
    headings = re.findall(r"^#+ (.+)$", markdown, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def missing(folder, runbooks):
    """What is not tested, or not written down."""
    tests = [yaml.safe_load(file.read_text()) for file in sorted((folder / "tests").glob("*.yml"))]
    cases = [case for test in tests for case in test["tests"]]
    alerts = [test for case in cases for test in case.get("alert_rule_test", [])]
    samples = [test for case in cases for test in case.get("promql_expr_test", [])]
    known = anchors(runbooks)
    said = []
    rules = [rule for _, _, rule in rules_of(folder)]
    for rule in rules:
        if name := rule.get("record"):
            whole = re.compile(rf"(?<![\w:]){re.escape(name)}(?![\w:])")
            if not any(whole.search(test["expr"]) and test.get("exp_samples") for test in samples):
                said.append(f"{name}: no test looks at its value")
            continue
        name = rule["alert"]
        of_it = [test for test in alerts if test["alertname"] == name]
        if not any(test.get("exp_alerts") for test in of_it):
            said.append(f"{name}: no test in which it fires")
        if not any(not test.get("exp_alerts") for test in of_it):
            said.append(f"{name}: no test in which it is silent")
        for annotation in ("summary", "description", "runbook_url"):
            if not rule.get("annotations", {}).get(annotation):
                said.append(f"{name}: no {annotation}")
        if "severity" not in rule.get("labels", {}):
            said.append(f"{name}: no severity")
        page, _, anchor = rule.get("annotations", {}).get("runbook_url", "").partition("#")
        if page != "docs/runbooks.md" or anchor not in known:
            said.append(f"{name}: docs/runbooks.md has no such heading: #{anchor}")
    defined = {rule.get("alert") for rule in rules}
    said += [f"{test['alertname']}: tested, but no such alert" for test in alerts if test["alertname"] not in defined]
    return said


def promtool_fails(folder, rule_file):
    """Whether the tests of that file fail."""
    own = [file for file in sorted((folder / "tests").glob("*.yml")) if f"/{rule_file}" in file.read_text()]
    run = subprocess.run(["promtool", "test", "rules", *own], capture_output=True, text=True, check=False)
    said = run.stdout + run.stderr
    # What can't be read fails as well, and proves nothing.
    if run.returncode and "exp:" not in said:
        sys.exit(said)
    return run.returncode != 0


def wrong_ones(rule):
    """The rule, each time wrong in one place."""
    expr = rule["expr"]
    if "record" in rule:
        yield {**rule, "expr": f"({expr}) * 1.01 + 0.01"}
    elif rule.get("for"):
        yield {**rule, "for": "0s"}
    for bound in BOUND.finditer(expr) if "alert" in rule else ():
        value = float(bound[0])
        for wrong in (value / 2, value * 2) if value else (-1, 1):
            yield {**rule, "expr": f"{expr[:bound.start()]}{wrong:g}{expr[bound.end():]}"}


def unnoticed(folder):
    """Wrong rules that no test notices; and how many were tried, each in a copy of its own, as many at once
    as there are cores."""

    def goes_unnoticed(tried):
        file, (g, r), wrong = tried
        with tempfile.TemporaryDirectory() as place:
            copy = shutil.copytree(folder, Path(place) / "copy")
            text = yaml.safe_load(file.read_text())
            text["groups"][g]["rules"][r] = wrong
            (copy / "rules" / file.name).write_text(yaml.safe_dump(text))
            return not promtool_fails(copy, file.name)

    tried = [(file, place, wrong) for file, place, rule in rules_of(folder) for wrong in wrong_ones(rule)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        unseen = list(pool.map(goes_unnoticed, tried))
    return [f"no test notices this: {wrong}" for (_, _, wrong), unseen in zip(tried, unseen) if unseen], len(tried)


def main():
    runbooks = Path("docs/runbooks.md").read_text()
    said = missing(Path("prometheus"), runbooks)
    with tempfile.TemporaryDirectory() as copy:
        folder = Path(copy)
        for file in Path("prometheus").glob("*/*.yml"):
            (folder / file.parent.name).mkdir(exist_ok=True)
            (folder / file.parent.name / file.name).write_text(file.read_text())
        wrong, tried = unnoticed(folder)
        # With no tests at all, each rule must be named.
        for file in (folder / "tests").glob("*.yml"):
            file.write_text("tests: []\n")
        rules = [rule.get("alert") or rule["record"] for _, _, rule in rules_of(folder)]
        unnamed = [name for name in rules if not any(name in line for line in missing(folder, ""))]
    said += wrong + [f"{name}: not missed when there are no tests" for name in unnamed]
    if not rules:
        said.append("there are no rules")
    if said:
        sys.exit("\n".join(said))
    print(f"{len(rules)} rules, each tested; {tried} wrong ones, each noticed")


main()
