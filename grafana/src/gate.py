"""The gates of all labs as PromQL: what each lab.json demands, and whether a run has kept it so far."""

from collections import defaultdict

from labs import Threshold, thresholds

RUN = '{testid="$testid"}'


def limits(of: list[Threshold], by: str) -> str:
    """A limit for each lab, as a series with its text as a label."""
    series = []
    for threshold in of:
        labels = {"lab": threshold.lab, "metric": threshold.metric, "threshold": threshold.expression}
        if by != "lab":
            labels["profile"] = threshold.profile
        made = f"vector({threshold.parts()[2]:g})"
        for name, value in labels.items():
            made = f'label_replace({made}, "{name}", "{value}", "", "")'
        series.append(made)
    return "(" + " or ".join(series) + ")"


def value(threshold: Threshold, by: str) -> str:
    """Of the whole run so far: k6's counters and histograms begin with it."""
    aggregation, series = threshold.parts()[0], threshold.series() + RUN
    if aggregation == "rate":
        # One series for each check; all hold if the worst does.
        return f"min by ({by}, variant) ({series})"
    summed = f"sum by ({by}, variant) ({series})"
    if aggregation == "count":
        return summed
    if aggregation == "avg":
        return f"histogram_sum({summed}) / histogram_count({summed})"
    share = 1 if aggregation == "max" else int(aggregation[2:-1]) / 100
    return f"histogram_quantile({share:g}, {summed})"


def verdicts() -> str:
    """1 for each threshold of the run's lab that holds, 0 for each that is crossed."""
    alike = defaultdict(list)
    for threshold in thresholds():
        aggregation, comparison, _ = threshold.parts()
        alike[threshold.metric, aggregation, comparison].append(threshold)
    found = []
    for (_, _, comparison), same in alike.items():
        by = "lab, profile" if same[0].profile else "lab"
        of = f"on ({by}) group_left (metric, threshold)"
        found.append(f"{value(same[0], by)} {comparison} bool {of} {limits(same, by)}")
    return "\nor\n".join(found)


def limit_of(metric: str, aggregation: str) -> str:
    """The limit of the run's lab as a line; a lab that sets none has no line."""
    same = [t for t in thresholds() if t.metric == metric and t.parts()[0] == aggregation]
    run = f"0 * sum by (lab, variant) (k6_http_reqs_total{RUN})"
    return f"{run} + on (lab) group_left () max by (lab) {limits(same, 'lab')}"
