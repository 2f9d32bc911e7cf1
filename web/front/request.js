//! One request to the API: its answer or its failure, and its cost.

import { found } from './connection.js';
import { costOf, record } from './cost.js';
import { Failure } from './failure.js';

/** Longest wait for an answer. The server itself gives up after 30 s. */
const PATIENCE = 40_000;

const parsed = (text) => {
  try {
    return JSON.parse(text);
  } catch {
    // Something else than the app answered, such as a proxy.
    return undefined;
  }
};

/** Sends a request. Returns `{ body, cost, bytes }`, or throws a Failure. `isQuiet` keeps it off the cost strip. */
export async function send(method, path, { body, token, isQuiet = false, keepalive = false } = {}) {
  const headers = {};
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (token) headers.authorization = `Bearer ${token}`;
  const started = performance.now();
  let response;
  let text;
  try {
    response = await fetch(path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: 'no-store',
      // It is sent also if the window closes meanwhile.
      keepalive,
      signal: AbortSignal.timeout(PATIENCE),
    });
    text = await response.text();
  } catch {
    found('offline');
    throw new Failure(0);
  }
  const cost = costOf(method, path, response, performance.now() - started);
  if (!isQuiet) record(cost);
  const content = text ? parsed(text) : null;
  if (response.ok && content !== undefined) return { body: content, cost, bytes: text.length };
  const failure = new Failure(response.ok ? 502 : response.status, content ?? {}, response.headers);
  if (failure.isUnavailable) found('unavailable');
  throw failure;
}
