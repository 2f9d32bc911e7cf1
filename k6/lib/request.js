// The request of a lab, built from its lab.json. crates/workshop/src/request.rs sends the same.

import exec from 'k6/execution';
import http from 'k6/http';
import { fail } from 'k6';

const PATHS = { slow: '/v1/slow', fast: '/v2/fast', yours: '/v3/yours' };

function path(lab, variant) {
  if (PATHS[variant]) return PATHS[variant];
  if (lab.wrong_fixes.some((fix) => fix.name === variant)) return `/v4/${variant}`;
  return fail(`VARIANT ${variant} is not slow, fast, yours or a wrong fix of this lab`);
}

// A template with its placeholders replaced, at any depth of JSON. A text that is nothing but a
// placeholder becomes a number.
function filled(template, values) {
  if (typeof template === 'string') {
    const alone = /^\{(n|user)\}$/.exec(template);
    if (alone) return values[alone[1]];
    return template.replace(/\{(n|user)\}/g, (_, name) => values[name]);
  }
  if (Array.isArray(template)) return template.map((item) => filled(item, values));
  if (template === null || typeof template !== 'object') return template;
  return Object.fromEntries(Object.entries(template).map(([name, value]) => [name, filled(value, values)]));
}

const texts = (templates, values) =>
  Object.entries(templates || {}).map(([name, template]) => [name, String(filled(template, values))]);

// First number of a run. It is the time in microseconds, so that runs of the same server, one after
// the other, have no number in common.
export const firstNumber = () => Date.now() * 1000;

// A function that sends the next request of this virtual user: `first` is the run's first number,
// `tokens` are the access tokens, that of user 1 first, `added` are more headers.
export function sender(lab, variant, base) {
  const { method, mount, query, headers, log_in: logIn, body } = lab.request;
  const url = `${base}${mount}${path(lab, variant)}`;
  // Any other status is a failed request.
  const responseCallback = http.expectedStatuses(...Object.keys(lab.answer.statuses).map(Number));
  return ({ first, tokens }, added) => {
    const values = { n: first + exec.scenario.iterationInTest, user: exec.vu.idInTest };
    const search = texts(query, values).map((pair) => pair.map(encodeURIComponent).join('=')).join('&');
    const sent = { ...Object.fromEntries(texts(headers, values)), ...added };
    if (body !== undefined) sent['Content-Type'] = 'application/json';
    if (logIn) sent.Authorization = `Bearer ${tokens[values.user - 1] || fail(`user ${values.user} is not logged in`)}`;
    const text = body === undefined ? null : JSON.stringify(filled(body, values));
    // By the name, requests that differ in their query are one series.
    const params = { headers: sent, tags: { name: url }, responseCallback };
    return http.request(method, search ? `${url}?${search}` : url, text, params);
  };
}
