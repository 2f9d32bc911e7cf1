// A flow: what a user does around the request of lab.json, in a k6.js of the lab's own beside it.
//
//   export default function (user) {
//     user.ask('GET', '/api/posts');
//     user.request();
//   }
//
// The gate is about `request`, which a flow sends once. `ask` is for whatever comes before or after it.

import exec from 'k6/execution';
import http from 'k6/http';
import { check, fail } from 'k6';
import { addBeside, recordBeside } from './server-timing.js';

const JSON_TYPE = { 'Content-Type': 'application/json' };

// A function that sends what a flow asks for beside the request: it is checked, but without the lab's
// tag, so that it is no part of what the gate is held to.
function asker(base, token) {
  return (method, path, { body, statuses = [200] } = {}) => {
    const url = `${base}${path}`;
    const headers = { ...(body === undefined ? {} : JSON_TYPE), ...(token ? { Authorization: `Bearer ${token}` } : {}) };
    const response = http.request(method, url, body === undefined ? null : JSON.stringify(body), {
      headers,
      // By the name, requests that differ in their query are one series.
      tags: { lab: '', name: url.split('?')[0] },
      responseCallback: http.expectedStatuses(...statuses),
    });
    check(response, { [`${method} ${path.split('?')[0]}: status is ${statuses.join(' or ')}`]: ({ status }) => statuses.includes(status) });
    recordBeside(response);
    return response;
  };
}

// A function that runs a lab's flow once, as this virtual user. `request` sends the request of lab.json.
export function flowOf(lab, base, { default: flow }) {
  if (typeof flow !== 'function') fail(`${lab.request.flow} exports no default function (user)`);
  addBeside();
  return ({ tokens }, request) => {
    let sent = 0;
    let error;
    const number = exec.vu.idInTest;
    const token = lab.request.log_in && tokens[number - 1];
    const counted = () => {
      sent += 1;
      return request();
    };
    try {
      flow({ number, token, request: counted, ask: asker(base, token) });
    } catch (thrown) {
      error = thrown;
      console.error(`${lab.request.flow}: ${thrown}`);
    }
    // k6 itself ends well after an error in an iteration.
    check(null, {
      'the flow comes to its end': () => error === undefined,
      'the flow sends the request of lab.json once': () => sent === 1,
    });
  };
}
