// Mixed load for a fixed time, whose requests must all be answered correctly: .ci/checks/soak
// counts them on both sides while profiles are taken.
//
// SECONDS   duration, 120 by default
// USERS     number of users, 12 by default
// SUMMARY   file for the outcome
// BASE_URL  address of the app, http://127.0.0.1:8000 by default

import http from 'k6/http';
import { check, sleep } from 'k6';
import { Counter } from 'k6/metrics';

const SECONDS = Number(__ENV.SECONDS || 120);
const USERS = Number(__ENV.USERS || 12);
const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8000';
const JSON_TYPE = { 'Content-Type': 'application/json' };

export const options = {
  scenarios: {
    mixed: {
      // One iteration for each user, which ends by itself: no request is cut off.
      executor: 'per-vu-iterations',
      vus: USERS,
      iterations: 1,
      maxDuration: `${SECONDS + 120}s`,
    },
  },
  thresholds: { checks: ['rate==1'], http_reqs: ['count>=100'] },
  summaryTrendStats: ['med', 'p(99)', 'max'],
};

// Writes that were answered with "try again": SQLite has one writer at a time, and one that waits
// for a worker that slow blocks keeps the others waiting, half a second at most.
const busy = new Counter('busy');

export function setup() {
  return { until: Date.now() + SECONDS * 1000 };
}

function send(method, path, status, body, headers = {}) {
  const params = { headers: { ...(body ? JSON_TYPE : {}), ...headers }, tags: { name: path } };
  const answer = http.request(method, BASE_URL + path, body && JSON.stringify(body), params);
  const isBusy = method === 'POST' && answer.status === 503 && 'Retry-After' in answer.headers;
  busy.add(isBusy ? 1 : 0);
  check(answer, { [`${method} ${path} is ${status}`]: (got) => isBusy || got.status === status });
  return answer;
}

function session() {
  const username = `soak_${__VU}`;
  const body = { username, email: `${username}@example.com`, password: 'correct horse' };
  let answer;
  do answer = send('POST', '/api/v2/auth/register', 201, body);
  while (answer.status === 503);
  return { Authorization: `Bearer ${answer.json().access_token}` };
}

// The first user always blocks workers, the second makes many queries; the others act normally.
const ROLES = [
  () => send('GET', '/api/posts/v1/slow', 200),
  () => send('GET', '/api/labs/n-plus-one/v1/slow', 200),
  (user) => {
    const version = __VU % 2 ? 'v1' : 'v2';
    send('GET', '/health/live', 200);
    send('GET', '/api/posts/v2/fast', 200);
    send('GET', '/api/todos/v2/fast', 200);
    send('POST', `/api/${version}/todos`, 201, { title: 'soak' }, user);
    send('GET', `/api/${version}/todos?limit=20`, 200, null, user);
    const line = { device_id: `soak-${__VU}`, log_level: 'INFO', message: 'soak' };
    send('POST', '/api/logs/batch', 200, { logs: [line, line, line, line, line] });
    sleep(0.05);
  },
];

export default function ({ until }) {
  const role = ROLES[Math.min(__VU, ROLES.length) - 1];
  const user = role.length > 0 ? session() : null;
  while (Date.now() < until) role(user);
}

export function handleSummary({ metrics }) {
  const of = (name) => metrics[name].values;
  const outcome = {
    requests: of('http_reqs').count,
    checks: of('checks'),
    busy: of('busy').count,
    latency_ms: of('http_req_duration'),
  };
  return { [__ENV.SUMMARY]: JSON.stringify(outcome), stdout: `${JSON.stringify(outcome)}\n` };
}
