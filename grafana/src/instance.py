"""Expressions over the chosen instances: gauges summed, counters as rates, histograms as means and quantiles."""

HERE = '{instance=~"$instance"}'


def rate(series: str, by: str) -> str:
    return f"sum by ({by}) (rate({series}{HERE}[$__rate_interval]))"


def mean(series: str, by: str) -> str:
    """0 while nothing is counted."""
    total, count = rate(f"{series}_sum", by), rate(f"{series}_count", by)
    return f"({total} / ({count} > 0)) or 0 * {count}"


def quantile(share: float, series: str, by: str) -> str:
    return f"histogram_quantile({share}, {rate(f'{series}_bucket', f'{by}, le')}) >= 0 or 0 * {rate(f'{series}_count', by)}"


def gauge(series: str, by: str) -> str:
    return f"sum by ({by}) ({series}{HERE})"


def seldom(series: str, by: str) -> str:
    """A counter that exists only from its first count on; until then 0."""
    return f'{rate(series, by)} or on () label_replace(vector(0), "{by}", "any", "", "")'
