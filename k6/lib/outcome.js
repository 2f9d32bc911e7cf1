// Outcome of a run for programs: each threshold with its verdict, and the measurements.

// Name of a metric for the requests of a lab alone, without those that signed its users up.
export const of = (lab, metric) =>
  metric.endsWith('}') ? `${metric.slice(0, -1)},lab:${lab}}` : `${metric}{lab:${lab}}`;

// The same name as lab.json has it.
const plain = (metric) => metric.replace(/\{lab:[^,}]*\}$/, '').replace(/,lab:[^,}]*\}$/, '}');

// In handleSummary `ok: true` means that the threshold holds.
export function outcome({ metrics }) {
  const thresholds = [];
  for (const [metric, { thresholds: all }] of Object.entries(metrics)) {
    for (const [expression, { ok }] of Object.entries(all || {})) {
      thresholds.push({ metric: plain(metric), expression, held: ok });
    }
  }
  const value = (metric, key) => {
    const ofLab = Object.keys(metrics).find((name) => name !== metric && plain(name) === metric);
    const { values } = metrics[ofLab || metric] || { values: { [key]: 0 } };
    return values[key];
  };
  const sums = Object.keys(metrics).filter((name) => name.startsWith('beside_'));
  return {
    thresholds,
    requests: value('http_reqs', 'count'),
    failed_requests: value('http_req_failed', 'passes'),
    checks: { passes: value('checks', 'passes'), fails: value('checks', 'fails') },
    p95_ms: value('http_req_duration', 'p(95)'),
    // Counts of what a flow sent beside the request of lab.json.
    beside: Object.fromEntries(sums.map((name) => [name.slice('beside_'.length), metrics[name].values.count])),
  };
}
