// What lab.json says about a right answer, as checks and thresholds.

import { Rate } from 'k6/metrics';

const NO_BODY = [204, 304];

// True if the body is JSON with something in it.
function hasJson(response) {
  if (NO_BODY.includes(response.status)) return !response.body;
  let json;
  try {
    json = response.json();
  } catch (_) {
    return false;
  }
  return json !== null && typeof json === 'object' && Object.keys(json).length > 0;
}

// `thresholds` and `checks` of a lab, and `count`, which adds an answer to the shares. A status that
// is the only one needs no share: the checks demand it of every answer.
export function answerOf(lab) {
  const statuses = Object.keys(lab.answer.statuses);
  const shared = statuses.length > 1 ? Object.entries(lab.answer.statuses) : [];
  const rates = shared.map(([status]) => [Number(status), new Rate(`status_${status}`)]);
  const thresholds = shared.map(([status, { min, max }]) => [
    `status_${status}`,
    [min === undefined ? '' : `rate>=${min}`, max === undefined ? '' : `rate<=${max}`].filter(Boolean),
  ]);
  return {
    thresholds: Object.fromEntries(thresholds),
    checks: {
      [`status is ${statuses.join(' or ')}`]: (r) => statuses.includes(String(r.status)),
      // Without it a counter has no samples, and k6 counts that as below every limit.
      'its budget is reported': (r) => 'Server-Timing' in r.headers,
      'body is JSON and not empty': hasJson,
    },
    count: (response) => rates.forEach(([status, rate]) => rate.add(response.status === status)),
  };
}
