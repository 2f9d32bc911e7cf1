// Reads the request cost from the Server-Timing header, so that thresholds can use it.

import { Counter, Trend } from 'k6/metrics';

// The server's table of counters writes the file. `label` and `part` are a counter's place in the header:
// "dur" are milliseconds, as in busy;dur=2003.1, and a "count" starts the description, as in
// db;dur=1.2;desc="101 queries".
const TABLE = JSON.parse(open('./counters.json'));
const COUNTERS = TABLE.filter(({ label }) => label);

const trends = Object.fromEntries(COUNTERS.map(({ name, unit }) => [name, new Trend(name, unit === 'time')]));

// Adds the counters of a lab's own: those of its evidence that the table does not have. The server shows
// them as it names them. To be called before the run begins, as k6 makes no metric later.
export function addOwn({ evidence: { slow, fast } }) {
  const named = Object.keys({ ...slow.counters, ...fast.counters });
  named.filter((name) => !TABLE.some(({ json }) => json === name)).forEach((name) => {
    COUNTERS.push({ name, label: name, part: 'count' });
    trends[name] = new Trend(name);
  });
}

const beside = {};

// Adds a sum of each count for the requests that a flow sends beside the lab's own: prove takes them off
// the totals of the process. To be called before the run begins, and after `addOwn`.
export function addBeside() {
  COUNTERS.filter(({ part }) => part === 'count').forEach(({ name }) => {
    beside[name] = new Counter(`beside_${name}`);
  });
}

const METRIC = /(?:^|, )([\w-]+)(?:;dur=([\d.]+))?(?:;desc="(\d+))?/g;

// { db: { dur: 1.2, count: 101 }, … }
export function parse(header) {
  const entries = {};
  for (const [, name, dur, count] of header.matchAll(METRIC)) {
    entries[name] = { dur: Number(dur || 0), count: Number(count || 0) };
  }
  return entries;
}

// Adds one answer to the trends, and returns the added values by name. Without a Server-Timing
// header it adds nothing.
export function record(response) {
  const header = response.headers['Server-Timing'];
  if (!header) return {};
  const entries = parse(header);
  const added = {};
  COUNTERS.forEach(({ name, label, part, always }) => {
    const entry = entries[label];
    // The server leaves out zeros; one that is `always` there is missing where its system can't measure it.
    if (!entry && always) return;
    added[name] = entry ? entry[part] : 0;
    trends[name].add(added[name]);
  });
  return added;
}

// Adds the counts of an answer to the sums of `addBeside`.
export function recordBeside(response) {
  const entries = parse(response.headers['Server-Timing'] || '');
  COUNTERS.filter(({ name }) => name in beside).forEach(({ name, label }) => {
    if (entries[label]) beside[name].add(entries[label].count);
  });
}
