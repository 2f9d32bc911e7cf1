//! What each request cost, as the server says in `Server-Timing`: the last twenty, newest last.

import { OPS } from './settings.js';
import { store } from './store.js';

export const KEPT = 20;

export const costs = store([]);

let count = 0;

/** Entries of a `Server-Timing` header by name, each with its duration and the number in its description. */
export function timings(header) {
  const entries = {};
  for (const [, name, rest] of (header ?? '').matchAll(/([\w-]+)((?:;\w+=(?:"[^"]*"|[^,;]*))*)/g)) {
    const duration = /;dur=([\d.]+)/.exec(rest)?.[1];
    const number = /;desc="(\d+)/.exec(rest)?.[1];
    entries[name] = { duration: Number(duration ?? 0), count: Number(number ?? 0) };
  }
  return entries;
}

/** Cost of an answer; null if the server measures nothing, or something else answered. */
export function costOf(method, path, response, seen) {
  const header = response.headers.get('server-timing');
  if (!header) return null;
  const of = timings(header);
  const trace = response.headers.get('x-trace-id');
  // The instance that answered may not be the one that sent the page.
  const ops = response.headers.get('x-ops-url') ?? OPS;
  const [route] = path.split('?');
  count += 1;
  return {
    number: count,
    method,
    path: route,
    // As people name it: the version stands beside it.
    shortPath: route.replace(/^\/api(\/v[12])?/, ''),
    version: /^\/api\/(v[12])\//.exec(route)?.[1] ?? 'blog',
    status: response.status,
    seen,
    total: of.total?.duration ?? 0,
    queries: of.db?.count ?? 0,
    hits: of['cache-hits']?.count ?? 0,
    misses: of['cache-misses']?.count ?? 0,
    queue: of['queue-wait']?.duration ?? 0,
    trace,
    link: ops && trace ? `${ops}/debug/traces/${trace}` : null,
  };
}

export function record(cost) {
  if (cost) costs.set([...costs.get(), cost].slice(-KEPT));
}

export const inMillis = (millis) => {
  if (millis >= 9_999.5) return `${(millis / 1000).toFixed(1)} s`;
  return millis >= 99.95 ? `${Math.round(millis)} ms` : `${millis.toFixed(1)} ms`;
};

export const counted = (number, one, more = `${one}s`) => `${number} ${number === 1 ? one : more}`;

export function inWordsOfCache({ hits, misses }) {
  if (hits && misses) return `${counted(hits, 'hit')}, ${counted(misses, 'miss', 'misses')}`;
  if (hits) return hits === 1 ? 'hit' : `${hits} hits`;
  if (misses) return misses === 1 ? 'miss' : `${misses} misses`;
  return 'not asked';
}

/** Wait for a thread: only v1 has such a queue. */
export const inWordsOfQueue = ({ version, queue }) => (version === 'v1' ? inMillis(queue) : 'none');
