// Loads one variant of a lab and checks it against the lab's gate; both come from its lab.json.
//
//   k6 run -e LAB=blocking-n-plus-one -e VARIANT=slow k6/lab.js
//
// VARIANT   slow (default), fast, yours, or the name of a wrong fix
// PROFILE   stage (default) or proof, as lab.json describes them
// BASE_URL  address of the app, http://127.0.0.1:8000 by default
// OPS_URL   address of ops, http://127.0.0.1:8001 by default; printed traces link to it
// SAMPLE_1_IN  sample 1 in so many requests (1: all), and send traceparent with each; by default only
//              the first request of each user sends one, sampled, and of the others the server decides
//
// For each user, the first sampled request that fails a check or misses the gate is printed with its
// trace.

import http from 'k6/http';
import { check, fail, sleep } from 'k6';
import { record } from './lib/server-timing.js';
import { tell, traced } from './lib/trace.js';

const LAB = __ENV.LAB || fail('say which lab with -e LAB=…; `chokepoint labs` lists them');
const VARIANT = __ENV.VARIANT || 'slow';
const PROFILE = __ENV.PROFILE || 'stage';
const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8000';

const lab = JSON.parse(open(`../src/labs/${LAB.replaceAll('-', '_')}/lab.json`));
const load = lab.load[PROFILE] || fail(`PROFILE ${PROFILE} is neither stage nor proof`);
const url = `${BASE_URL}${lab.request.mount}${path(VARIANT)}`;

function path(variant) {
  const known = { slow: '/v1/slow', fast: '/v2/fast', yours: '/v3/yours' };
  if (known[variant]) return known[variant];
  if (lab.wrong_fixes.some((fix) => fix.name === variant)) return `/v4/${variant}`;
  return fail(`VARIANT ${variant} is not slow, fast, yours or a wrong fix of ${LAB}`);
}

function scenario() {
  const common = {
    executor: load.executor,
    gracefulStop: `${load.graceful_stop}s`,
    // Here, not in options.tags: k6's --tag would replace those.
    tags: { lab: LAB, variant: VARIANT, profile: PROFILE },
  };
  if (load.executor === 'constant-arrival-rate') {
    return {
      ...common,
      rate: load.rate,
      duration: `${load.duration}s`,
      preAllocatedVUs: load.max_vus,
      maxVUs: load.max_vus,
    };
  }
  return {
    ...common,
    startVUs: 0,
    gracefulRampDown: `${load.graceful_stop}s`,
    stages: load.stages.map(({ duration, target }) => ({ duration: `${duration}s`, target })),
  };
}

export const options = {
  scenarios: { [VARIANT]: scenario() },
  thresholds: {
    ...lab.gate.thresholds,
    // Without these a dead server, or one that answers nothing, would pass every gate.
    checks: ['rate==1'],
    http_reqs: [`count>=${load.min_requests}`],
  },
  summaryTrendStats: ['avg', 'min', 'med', 'p(90)', 'p(95)', 'p(99)', 'max'],
};

// Thresholds of the gate that this request alone misses: "p(95)<500" by taking 500 ms or longer.
function missed(seen) {
  const bounds = Object.entries(lab.gate.thresholds).flatMap(([metric, all]) => all.map((bound) => ({ metric, bound })));
  return bounds.filter(({ metric, bound }) => {
    const [, operator, limit] = /(<=?)([\d.]+)$/.exec(bound) || [];
    return operator === '<' ? seen[metric] >= Number(limit) : seen[metric] > Number(limit);
  }).map(({ metric, bound }) => `${metric} ${Math.round(seen[metric])}, gate ${bound}`);
}

export default function () {
  const response = http.request(lab.request.method, url, null, { headers: traced(), tags: { name: url } });
  const isRight = check(response, {
    [`status is ${lab.request.status}`]: (r) => r.status === lab.request.status,
    // Without it a counter has no samples, and k6 counts that as below every limit.
    'its budget is reported': (r) => 'Server-Timing' in r.headers,
    'body is a list with rows': (r) => r.status === 200 && r.json().length > 0,
  });
  const budget = record(response);
  const miss = missed({ ...budget, http_req_duration: response.timings.duration });
  if (!isRight) tell(`a check failed, status ${response.status}`, response);
  else if (miss.length) tell(miss.join('; '), response);
  if (load.think_time) sleep(load.think_time);
}
