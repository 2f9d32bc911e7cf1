// Traces: each user's first request asks for its trace, and the interesting ones are printed.

import exec from 'k6/execution';

// Requests to sample: 1 in so many. By default only the first of each user asks for it, and of the
// others the server decides.
const SAMPLE_1_IN = Number(__ENV.SAMPLE_1_IN || 0);
const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8000';
// Address of the ops port, to print traces as links; for another server only their path.
const OPS_URL = __ENV.OPS_URL || (/\/\/(127\.0\.0\.1|localhost):8000$/.test(BASE_URL) ? 'http://127.0.0.1:8001' : '');

// Maximum of lines: one for each of so many users, because users share no counter.
const USERS_THAT_TELL = 20;

let requests = 0;
let hasPrinted = false;

const hex = (digits) =>
  Array.from({ length: digits / 8 }, () =>
    Math.floor(Math.random() * 2 ** 32).toString(16).padStart(8, '0')).join('');

const traceparent = (isSampled) => ({ traceparent: `00-${hex(32)}-${hex(16)}-${isSampled ? '01' : '00'}` });

// Headers of a user's next request: a W3C traceparent, or none.
export function traced() {
  const number = requests++;
  if (SAMPLE_1_IN) return traceparent(number % SAMPLE_1_IN === 0);
  return number === 0 ? traceparent(true) : {};
}

// True if the request asked for its trace, which the server then has.
function isSampled({ request }) {
  const [parent] = request.headers.Traceparent || [''];
  return parent.endsWith('-01');
}

// Prints, once for each user, what is wrong with an answer, and the address of its trace. Only
// requests that asked for their trace are printed: of any other there may be none.
export function tell(what, response) {
  const trace = response.headers['X-Trace-Id'];
  if (hasPrinted || !trace || !isSampled(response) || exec.vu.idInTest > USERS_THAT_TELL) return;
  hasPrinted = true;
  console.warn(`${what}: x-trace-id ${trace}, ${OPS_URL}/debug/traces/${trace}`);
}
