// Traces: k6 may begin them, and says which ones are worth a look.

import exec from 'k6/execution';

// Requests that ask to be sampled: 1 in so many. By default none says anything, and the server decides.
const SAMPLE_1_IN = Number(__ENV.SAMPLE_1_IN || 0);
const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8000';
// Where the ops port is, so that a printed trace is a link. Of another server only the path is known.
const OPS_URL = __ENV.OPS_URL || (/\/\/(127\.0\.0\.1|localhost):8000$/.test(BASE_URL) ? 'http://127.0.0.1:8001' : '');

// Lines in all: one of each of so many users, as users share no counter.
const USERS_THAT_TELL = 20;

let requests = 0;
let hasTold = false;

const hex = (digits) =>
  Array.from({ length: digits / 8 }, () =>
    Math.floor(Math.random() * 2 ** 32).toString(16).padStart(8, '0')).join('');

// Headers of a request: a W3C traceparent, if SAMPLE_1_IN is set.
export function traced() {
  if (!SAMPLE_1_IN) return {};
  const flags = requests++ % SAMPLE_1_IN === 0 ? '01' : '00';
  return { traceparent: `00-${hex(32)}-${hex(16)}-${flags}` };
}

// Says once for each user what is wrong with an answer, and where its trace is.
export function tell(what, response) {
  const trace = response.headers['X-Trace-Id'];
  if (hasTold || !trace || exec.vu.idInTest > USERS_THAT_TELL) return;
  hasTold = true;
  console.warn(`${what}: x-trace-id ${trace}, ${OPS_URL}/debug/traces/${trace}`);
}
