// Reads the request cost from the Server-Timing header, so that thresholds can use it.

import { Trend } from 'k6/metrics';

// Counts are at the start of the description: db;dur=1.2;desc="101 queries".
const COUNTS = {
  queries: 'db',
  rows: 'rows',
  switches: 'switches',
  polls: 'poll',
};

// Milliseconds: busy;dur=2003.1
const DURATIONS = {
  busy: 'busy',
  cpu: 'cpu',
  off_cpu: 'off-cpu',
  longest_poll: 'poll',
  db: 'db',
  pool_wait: 'pool-wait',
  queue_wait: 'queue-wait',
};

const counts = mapValues(COUNTS, (name) => new Trend(name));
const durations = mapValues(DURATIONS, (name) => new Trend(name, true));

function mapValues(object, make) {
  return Object.fromEntries(Object.keys(object).map((key) => [key, make(key)]));
}

// { db: { dur: 1.2, count: 101 }, … }
export function parse(header) {
  const entries = {};
  for (const [, name, rest] of (header || '').matchAll(/([\w-]+)((?:;[^,"]*(?:"[^"]*")?)*)/g)) {
    const dur = /;dur=([\d.]+)/.exec(rest);
    const count = /;desc="(\d+)/.exec(rest);
    entries[name] = { dur: dur ? Number(dur[1]) : 0, count: count ? Number(count[1]) : 0 };
  }
  return entries;
}

// Adds one answer to the trends, and returns the added values by name. Without a Server-Timing
// header it adds nothing.
export function record(response) {
  const entries = parse(response.headers['Server-Timing']);
  const added = {};
  const add = (trends, names, part) => {
    for (const [trend, name] of Object.entries(names)) {
      if (!entries[name]) continue;
      added[trend] = entries[name][part];
      trends[trend].add(added[trend]);
    }
  };
  add(counts, COUNTS, 'count');
  add(durations, DURATIONS, 'dur');
  return added;
}
