// Outcome of a run for programs: each threshold with its verdict, and the measurements.

// In handleSummary `ok: true` means that the threshold holds.
export function outcome(data) {
  const thresholds = [];
  for (const [metric, { thresholds: all }] of Object.entries(data.metrics)) {
    for (const [expression, { ok }] of Object.entries(all || {})) {
      thresholds.push({ metric, expression, held: ok });
    }
  }
  const value = (metric, key) => (data.metrics[metric] ? data.metrics[metric].values[key] : 0);
  return {
    thresholds,
    requests: value('http_reqs', 'count'),
    failed_requests: value('http_req_failed', 'passes'),
    checks: { passes: value('checks', 'passes'), fails: value('checks', 'fails') },
    p95_ms: value('http_req_duration', 'p(95)'),
  };
}
