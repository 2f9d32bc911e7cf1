// What came out: the gate's verdict by its thresholds, or the counts of one request side by side.

import { element, table } from './dom.js';
import { count, named, timeText, unitOf, value } from './format.js';

// Counters that always stand in the table, and how many more may.
const ALWAYS = ['elapsed_ms', 'queries', 'busy_ms', 'cpu_ms', 'switches'];
const MORE = 6;

const cell = (text, ...classes) => element(['td', ...classes].join('.'), {}, text);

function thresholds(race) {
  const { lanes, gate } = race.race;
  const row = (threshold) => {
    const found = lanes.map(({ verdict }) => verdict?.thresholds.find(
      (other) => other.metric === threshold.metric && other.expression === threshold.expression));
    const shown = (one) => (one
      ? cell(`${one.held ? '✓' : '✗'} ${value(one.value, threshold.unit)}`, one.held ? 'good' : 'bad') : cell('–'));
    return [element('td', {}, element('code', {}, `${named(threshold.metric)} ${threshold.expression}`)), ...found.map(shown)];
  };
  return table(['Threshold', ...lanes.map(({ variant }) => variant)], gate.map(row));
}

function verdict({ variant, verdict: found }) {
  if (!found) return null;
  const expected = found.as_expected == null ? '' : found.as_expected ? ', as it should' : ', which it should not';
  return element(`p.verdict.${found.passed ? 'good' : 'bad'}`, {},
    element('strong', {}, `${variant} ${found.passed ? 'passes' : 'fails'} the gate`), expected);
}

// Counters of both lanes: those that always stand there, then those that differ most.
function figures(race) {
  const [a, b] = race.race.lanes.map(({ measured }) => measured?.counters ?? {});
  const mean = (counters, name) => counters[name]?.mean ?? 0;
  const ratio = (name) => {
    const [least, most] = [mean(a, name), mean(b, name)].sort((x, y) => x - y);
    return most < 1 ? 1 : most / Math.max(least, 0.1);
  };
  const names = Object.keys({ ...a, ...b });
  const others = names.filter((name) => !ALWAYS.includes(name) && ratio(name) >= 2);
  others.sort((x, y) => ratio(y) - ratio(x));
  const shown = [...ALWAYS.filter((name) => names.includes(name)), ...others.slice(0, MORE)];
  return shown.map((name) => {
    const unit = unitOf(name);
    const isApart = ratio(name) >= 3;
    return [named(name), cell(value(a[name]?.mean, unit), 'number', ...(isApart ? ['apart'] : [])),
      cell(value(b[name]?.mean, unit), 'number', ...(isApart ? ['apart'] : []))];
  });
}

function latencies(race) {
  const { lanes } = race.race;
  const row = (name, read) => [name, ...lanes.map((lane) => cell(read(lane), 'number'))];
  return [
    row('answered', ({ requests }) => count(requests?.answered)),
    row('without an answer, or a wrong one', ({ requests }) => count((requests?.failed ?? 0) + (requests?.unfinished ?? 0))),
    row('median', ({ latency }) => timeText(latency?.p50_ms)),
    row('p95', ({ latency }) => timeText(latency?.p95_ms)),
    row('slowest', ({ latency }) => timeText(latency?.max_ms)),
  ];
}

// Sees to the outcome once the race is over.
export function show(place, race) {
  if (!race.isOver) {
    place.replaceChildren();
    return;
  }
  const names = race.race.lanes.map(({ variant }) => variant);
  const parts = race.race.lanes.map(verdict).filter(Boolean);
  if (parts.length) parts.push(element('div.scrolling', { role: 'region', tabindex: 0, 'aria-label': 'Thresholds' }, thresholds(race)));
  const measured = race.race.lanes.some((lane) => lane.measured?.count);
  parts.push(element('div.two', {},
    element('div', {}, element('h3', {}, 'All requests'), table(['', ...names], latencies(race))),
    measured ? element('div', {}, element('h3', {}, 'One request, on average'), table(['', ...names], figures(race))) : null));
  place.replaceChildren(...parts);
}
