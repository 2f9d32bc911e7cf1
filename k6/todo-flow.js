// The same users on /api/v1 and on /api/v2: each logs in, then lists, adds and lists todos in a
// loop. v1 and v2 take turns; at the end one table compares them.
//
//   BCRYPT_COST=4 chokepoint serve --insecure --rate-limit-register=off --rate-limit-login=off \
//     --rate-limit-login-address=off
//   k6 run k6/todo-flow.js
//
// The server must accept 2 × 500 new accounts from one address, so its rate limits of registrations
// and logins are off. Cheap password hashes avoid minutes of hashing before the measurement.
//
// ORDER     v1,v2 (default) or v2,v1, or one of them
// STAGES    users, one stage after the other, 100,300,500 by default
// HOLD      seconds that each stage is held, 10 by default; only they are measured
// RAMP      seconds to get from one stage to the next, 5 by default
// THINK     seconds that a user pauses after each turn, 0 by default
// DISTANCE  injected latency, the server's LATENCY_DB and LATENCY_CACHE, 0 (default) or 20ms:
//           sets a label and v2's thresholds. Other than 0 only with PostgreSQL: a file has one
//           writer, which would keep the write lock for that time
// BASE_URL  address of the app, http://127.0.0.1:8000 by default
// OPS_URL, SAMPLE_1_IN  as for lab.js: address of ops, and the share of sampled requests

import http from 'k6/http';
import exec from 'k6/execution';
import { check, fail, sleep } from 'k6';
import { Trend } from 'k6/metrics';
import { record } from './lib/server-timing.js';
import { table } from './lib/table.js';
import { tell, traced } from './lib/trace.js';

const ORDER = (__ENV.ORDER || 'v1,v2').split(',');
const STAGES = (__ENV.STAGES || '100,300,500').split(',').map(Number);
const HOLD = Number(__ENV.HOLD || 10);
const RAMP = Number(__ENV.RAMP || 5);
const THINK = Number(__ENV.THINK || 0);
const DISTANCE = __ENV.DISTANCE || '0';
const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8000';

// Limits of the p95 on v2 with the most users, in milliseconds: three times the usual result with
// 500 users, server, databases and k6 on the same 2 cores (322, 483 and 966 ms at latency 0, the
// slower of SQLite and PostgreSQL, and in one run of five 822 ms for a new todo; 1,042, 1,099 and
// 2,125 ms at 20 ms).
const LIMITS = {
  0: { list: 1200, create: 1500, turn: 3000 },
  '20ms': { list: 3500, create: 3500, turn: 7000 },
}[DISTANCE] || fail(`DISTANCE ${DISTANCE} is neither 0 nor 20ms`);

const USERS = Math.max(...STAGES);
// A stage ends before its users do, so that the last turns have time to end.
const LASTS = STAGES.length * (RAMP + HOLD) + RAMP;
const GAP = 10;
const PASSWORD = 'correct horse battery staple';
const JSON_TYPE = { 'Content-Type': 'application/json' };

// List, add, list, as the user sees it.
const turn = new Trend('turn', true);

function scenario(version, place) {
  return {
    executor: 'ramping-vus',
    exec: 'user',
    startVUs: 0,
    startTime: `${place * (LASTS + GAP)}s`,
    stages: [
      ...STAGES.flatMap((target) => [
        { duration: `${RAMP}s`, target },
        { duration: `${HOLD}s`, target },
      ]),
      { duration: `${RAMP}s`, target: 0 },
    ],
    gracefulRampDown: `${GAP}s`,
    gracefulStop: `${GAP}s`,
    env: { VERSION: version },
    tags: { version },
  };
}

// Columns of the table for each version and stage. k6 keeps only what a threshold names.
const SHOWN = {
  http_reqs: 'count>=0',
  'http_req_duration|step:list': 'max>=0',
  'http_req_duration|step:create': 'max>=0',
  turn: 'max>=0',
  http_req_failed: 'rate==0',
  queue_wait: 'max>=0',
  db: 'max>=0',
};

const key = (shown, version, users) => {
  const [metric, step] = shown.split('|');
  return `${metric}{version:${version},users:${users}${step ? `,${step}` : ''}}`;
};

function thresholds() {
  const all = {};
  for (const version of ORDER) {
    all[`http_req_failed{version:${version}}`] = ['rate==0'];
    all[`checks{version:${version}}`] = ['rate==1'];
    for (const users of STAGES) {
      for (const [shown, always] of Object.entries(SHOWN)) all[key(shown, version, users)] = [always];
    }
  }
  if (!ORDER.includes('v2')) return all;
  return {
    ...all,
    [key('http_req_duration|step:list', 'v2', USERS)]: [`p(95)<${LIMITS.list}`],
    [key('http_req_duration|step:create', 'v2', USERS)]: [`p(95)<${LIMITS.create}`],
    [key('turn', 'v2', USERS)]: [`p(95)<${LIMITS.turn}`],
    // Without it a server that answers nothing would pass.
    [key('http_reqs', 'v2', USERS)]: [`count>=${USERS}`],
  };
}

export const options = {
  scenarios: Object.fromEntries(ORDER.map((version, place) => [version, scenario(version, place)])),
  thresholds: thresholds(),
  summaryTrendStats: ['avg', 'med', 'p(95)', 'max', 'count'],
  // Registering takes as long as hashing.
  setupTimeout: '10m',
};

const account = (run, version, n) => {
  const username = `flow_${run}_${version}_${n}`;
  return { username, email: `${username}@example.com`, password: PASSWORD };
};

// New accounts for each version: nothing is cached, and neither version finds the other's todos.
export function setup() {
  const run = Date.now().toString(36);
  const url = `${BASE_URL}/api/v2/auth/register`;
  for (const version of ORDER) {
    for (let first = 1; first <= USERS; first += 10) {
      const some = Array.from({ length: Math.min(10, USERS - first + 1) }, (_, i) => [
        'POST', url, JSON.stringify(account(run, version, first + i)), { headers: JSON_TYPE },
      ]);
      http.batch(some).forEach(({ status, body }) => {
        if (status === 429) fail('429: start the server with --rate-limit-register=off');
        if (status !== 201) fail(`registering failed with ${status}: ${body}`);
      });
    }
  }
  return { run };
}

// Tokens of this user, by version.
const tokens = {};

function logIn(version, run) {
  const { email, password } = account(run, version, ((exec.vu.idInTest - 1) % USERS) + 1);
  const url = `${BASE_URL}/api/${version}/auth/login`;
  const body = JSON.stringify({ email, password });
  const { status, json } = answered(http.post(url, body, { headers: JSON_TYPE, tags: { step: 'login' } }));
  if (status === 429) exec.test.abort('429: start the server with --rate-limit-login=off --rate-limit-login-address=off');
  return status === 200 ? json.access_token : undefined;
}

const answered = (response) => ({
  status: response.status,
  json: response.status < 300 ? response.json() : undefined,
});

// Number of users in the current stage; "ramp" between two.
function usersNow() {
  const elapsed = (Date.now() - exec.scenario.startTime) / 1000;
  const stage = Math.floor(elapsed / (RAMP + HOLD));
  return stage < STAGES.length && elapsed % (RAMP + HOLD) >= RAMP ? String(STAGES[stage]) : 'ramp';
}

export function user({ run }) {
  const version = __ENV.VERSION;
  exec.vu.metrics.tags.distance = DISTANCE;
  exec.vu.metrics.tags.users = 'ramp';
  tokens[version] = tokens[version] || logIn(version, run);
  if (!check(tokens[version], { 'logged in': (token) => token !== undefined })) {
    sleep(1);
    return;
  }
  exec.vu.metrics.tags.users = usersNow();
  const headers = () => ({ ...JSON_TYPE, ...traced(), Authorization: `Bearer ${tokens[version]}` });
  const url = `${BASE_URL}/api/${version}/todos`;
  const step = (name) => ({ headers: headers(), tags: { step: name, name: `${name} ${version}` } });
  const started = Date.now();
  const before = http.get(url, step('list'));
  const title = `turn ${exec.vu.iterationInScenario}`;
  const created = http.post(url, JSON.stringify({ title }), step('create'));
  const after = http.get(url, step('list'));
  turn.add(Date.now() - started);
  const isRight = check(null, {
    'both lists answered 200': () => before.status === 200 && after.status === 200,
    'create answered 201': () => created.status === 201,
    'the new todo leads the list': () => after.status === 200 && after.json('0.title') === title,
  });
  [before, created, after].forEach(record);
  if (!isRight) {
    const failed = [before, created, after].find(({ status }) => status >= 400) || after;
    tell(`a check failed, status ${failed.status}`, failed);
  }
  if (THINK) sleep(THINK);
}

export function handleSummary({ metrics }) {
  const value = (shown, version, users, stat) => {
    const metric = metrics[key(shown, version, users)];
    return metric && metric.values[stat] !== undefined ? metric.values[stat] : 0;
  };
  const ms = (number) => `${number.toFixed(number < 10 ? 1 : 0)} ms`;
  const rows = ORDER.flatMap((version) => STAGES.map((users) => [
    version,
    String(users),
    (value('http_reqs', version, users, 'count') / HOLD).toFixed(0),
    ms(value('http_req_duration|step:list', version, users, 'p(95)')),
    ms(value('http_req_duration|step:create', version, users, 'p(95)')),
    ms(value('turn', version, users, 'p(95)')),
    ms(value('queue_wait', version, users, 'p(95)')),
    ms(value('db', version, users, 'med')),
    String(value('http_req_failed', version, users, 'passes')),
  ]));
  const heads = ['', 'users', 'requests/s', 'GET p95', 'POST p95', 'turn p95', 'queue wait p95', 'db median', 'failed'];
  const crossed = Object.entries(metrics).flatMap(([name, metric]) =>
    Object.entries(metric.thresholds || {}).filter(([, { ok }]) => !ok).map(([limit]) => `  ${name} ${limit}`));
  const verdict = crossed.length ? `Crossed:\n${crossed.join('\n')}` : 'Every threshold held.';
  const report = `\nTodos, database and cache at distance ${DISTANCE}, in this order\n\n${table(heads, rows)}\n\n${verdict}\n`;
  const files = __ENV.SUMMARY ? { [__ENV.SUMMARY]: JSON.stringify(rows.map((row) => Object.fromEntries(row.map((cell, i) => [heads[i] || 'version', cell]))), null, 2) } : {};
  return { stdout: report, ...files };
}
