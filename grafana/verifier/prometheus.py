"""What the verifier asks a Prometheus."""

import json
import urllib.error
import urllib.parse
import urllib.request


class Refused(Exception):
    """Prometheus did not take the query."""


class Prometheus:
    def __init__(self, url: str, start: float, end: float) -> None:
        self.url, self.start, self.end = url, start, end
        self.asked = 0
        self.names = set(self.get("label/__name__/values"))

    def get(self, path: str, **params):
        address = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(params, doseq=True)}"
        try:
            with urllib.request.urlopen(address, timeout=30) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise Refused(json.load(error).get("error", str(error))) from error
        except urllib.error.URLError as error:
            raise SystemExit(f"no Prometheus answers at {self.url}: {error.reason}") from error

    def range(self, expression: str, step: float) -> list[dict]:
        """Series over the whole time, steps aligned as Grafana aligns them."""
        self.asked += 1
        start, end = (self.start // step) * step, (self.end // step) * step
        return self.get("query_range", query=expression, start=start, end=end, step=step)["result"]

    def instant(self, expression: str) -> list[dict]:
        self.asked += 1
        data = self.get("query", query=expression, time=self.end)
        if data["resultType"] != "vector":
            raise Refused(f"a panel needs series, and this is a {data['resultType']}")
        return data["result"]

    def label_values(self, label: str, selector: str) -> list[str]:
        self.asked += 1
        return self.get(f"label/{label}/values", **{"match[]": selector, "start": self.start, "end": self.end})
