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
// TOKENS    file with the users' access tokens as JSON, that of user 1 first; without it a lab whose
//           lab.json says `log_in` signs its users up, before the load
//
// A lab whose lab.json has a `flow` runs the k6.js beside it in each iteration: lib/flow.js.
//
// For each user, the first sampled request that fails a check or misses the gate is printed with its
// trace.

import { check, fail, sleep } from 'k6';
import { answerOf } from './lib/answer.js';
import { flowOf } from './lib/flow.js';
import { of } from './lib/outcome.js';
import { firstNumber, sender } from './lib/request.js';
import { addOwn, record } from './lib/server-timing.js';
import { tell, traced } from './lib/trace.js';
import { logIn } from './lib/users.js';

const LAB = __ENV.LAB || fail('say which lab with -e LAB=…; `chokepoint labs` lists them');
const VARIANT = __ENV.VARIANT || 'slow';
const PROFILE = __ENV.PROFILE || 'stage';
const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8000';

// k6 can't list folders.
const AREAS = ['async_runtime', 'database', 'cache', 'cpu_memory', 'overload', 'observability'];
const [FOLDER, text] = evidence();

function evidence() {
  for (const area of AREAS) {
    const folder = `../src/labs/${area}/${LAB.replaceAll('-', '_')}`;
    try {
      return [folder, open(`${folder}/lab.json`)];
    } catch {
      // It is a lab of another area.
    }
  }
  return fail(`there is no lab ${LAB}; \`chokepoint labs\` lists them`);
}

const lab = JSON.parse(text);
const load = lab.load[PROFILE] || fail(`PROFILE ${PROFILE} is neither stage nor proof`);
const tokens = __ENV.TOKENS && JSON.parse(open(__ENV.TOKENS));
const send = sender(lab, VARIANT, BASE_URL);
const answer = answerOf(lab);
addOwn(lab);
// Here, as k6 loads no module later.
const flow = lab.request.flow && flowOf(lab, BASE_URL, require(`${FOLDER}/${lab.request.flow}`));
const users = load.max_vus || Math.max(...load.stages.map(({ target }) => target));

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

const thresholds = {
  ...lab.gate.thresholds,
  ...answer.thresholds,
  // Without these a dead server, or one that answers nothing, would pass every gate.
  checks: ['rate==1'],
  http_reqs: [`count>=${load.min_requests}`],
};
// Those who sign up here send requests too, and so does a flow, which have no such tag.
const isAmongOthers = Boolean(flow) || (lab.request.log_in && !tokens);
// Without bounds of its own, so that the outcome has the times of the lab's requests alone.
if (isAmongOthers) thresholds.http_req_duration = thresholds.http_req_duration || [];

export const options = {
  scenarios: { [VARIANT]: scenario() },
  thresholds: isAmongOthers
    ? Object.fromEntries(Object.entries(thresholds).map(([metric, all]) => [of(LAB, metric), all]))
    : thresholds,
  // Signing up takes as long as hashing.
  setupTimeout: '5m',
  summaryTrendStats: ['avg', 'min', 'med', 'p(90)', 'p(95)', 'p(99)', 'max'],
};

export function setup() {
  return { first: firstNumber(), tokens: tokens || (lab.request.log_in ? logIn(BASE_URL, users) : []) };
}

// Thresholds of the gate that this request alone misses: "p(95)<500" by taking 500 ms or longer.
function missed(seen) {
  const bounds = Object.entries(lab.gate.thresholds).flatMap(([metric, all]) => all.map((bound) => ({ metric, bound })));
  return bounds.filter(({ metric, bound }) => {
    const [, operator, limit] = /(<=?)([\d.]+)$/.exec(bound) || [];
    return operator === '<' ? seen[metric] >= Number(limit) : seen[metric] > Number(limit);
  }).map(({ metric, bound }) => `${metric} ${Math.round(seen[metric])}, gate ${bound}`);
}

// Sends the request of lab.json, and holds its answer to the gate.
function request(run) {
  const response = send(run, traced());
  answer.count(response);
  const isRight = check(response, answer.checks);
  const budget = record(response);
  const miss = missed({ ...budget, http_req_duration: response.timings.duration });
  if (!isRight) tell(`a check failed, status ${response.status}`, response);
  else if (miss.length) tell(miss.join('; '), response);
  return response;
}

export default function (run) {
  if (flow) flow(run, () => request(run));
  else request(run);
  if (load.think_time) sleep(load.think_time);
}
