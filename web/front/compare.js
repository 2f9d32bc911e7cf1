//! The same list, twenty times from each version, one version after the other, on one scale.

import { accessToken } from './session.js';
import { Bars } from './chart.js';
import { counted, inMillis } from './cost.js';
import { Failed, Heading } from './parts.js';
import { html, useState } from './preact.js';
import { send } from './request.js';
import { VERSIONS, versioned } from './settings.js';

const TIMES = 20;
/** Below this difference, as a factor, a busy machine may have made it. */
const EQUAL = 1.5;

const ordered = (numbers) => [...numbers].sort((a, b) => a - b);
const median = (numbers) => {
  const sorted = ordered(numbers);
  return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.ceil((sorted.length - 1) / 2)]) / 2;
};
const sum = (costs, name) => costs.reduce((total, cost) => total + cost[name], 0);

/** Below this difference, in milliseconds, nobody would notice. */
const NOTICED = 1;

/** All at once: the browser sends as many of them side by side as it has connections, mostly six. */
async function run(version) {
  const token = await accessToken();
  const one = () => send('GET', versioned('/todos', version), { token, isQuiet: true });
  // The first one fills the cache, and is not counted.
  await one();
  const started = performance.now();
  const answers = await Promise.all(Array.from({ length: TIMES }, one));
  const took = performance.now() - started;
  const costs = answers.map(({ cost }) => cost).filter(Boolean);
  return { version, took, costs };
}

function verdict([v1, v2]) {
  const [one, two] = [v1, v2].map(({ costs }) => median(costs.map(({ total }) => total)));
  if (Math.abs(one - two) < NOTICED || Math.max(one, two) < EQUAL * Math.min(one, two)) {
    return 'About equal, as it should be while nothing waits: both run the same code on the same data.';
  }
  const [slower, factor] = one > two ? ['v1', one / two] : ['v2', two / one];
  return `${slower} took ${factor.toFixed(1)} times as long in the middle of its twenty requests.`;
}

function Result({ result, most }) {
  const { version, took, costs } = result;
  const totals = costs.map(({ total }) => total);
  const rows = [
    ['Median', inMillis(median(totals))],
    ['Slowest', inMillis(Math.max(...totals))],
    ['All twenty, here', inMillis(took)],
    ['Queries', sum(costs, 'queries')],
    ['Cache hits', sum(costs, 'hits')],
    ['Longest queue wait', version === 'v1' ? inMillis(Math.max(...costs.map(({ queue }) => queue))) : 'none'],
  ];
  return html`
    <article class=${`result ${version}`}>
      <h2><span class=${`tag ${version}`}>${version}</span> ${version === 'v1' ? 'a thread for each request' : 'async'}</h2>
      <${Bars} bars=${costs} room=${TIMES} most=${most} isLinear label=${`${counted(costs.length, 'request')} on ${version}, ${inMillis(median(totals))} in the middle`} />
      <dl>${rows.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
    </article>`;
}

export function Compare() {
  const [results, setResults] = useState(null);
  const [failure, setFailure] = useState(null);
  const [running, setRunning] = useState('');
  const start = async () => {
    setFailure(null);
    try {
      const done = [];
      for (const version of VERSIONS) {
        setRunning(version);
        done.push(await run(version));
      }
      setResults(done);
    } catch (cause) {
      setFailure(cause);
    } finally {
      setRunning('');
    }
  };
  const isMeasured = results?.every(({ costs }) => costs.length > 0);
  const most = isMeasured ? Math.max(...results.flatMap(({ costs }) => costs.map(({ total }) => total))) : 0;
  return html`
    <section>
      <${Heading}>v1 against v2<//>
      <p class="lead">Your list of todos, ${TIMES} times from each version, one version after the other.</p>
      <p><button type="button" class="primary" disabled=${Boolean(running)} onClick=${start}>
        ${running ? `Sending to ${running}` : `Send it ${TIMES} times each`}</button></p>
      <${Failed} failure=${failure} />
      <div class="results" aria-live="polite">
        ${isMeasured && html`
          <p class="verdict">${verdict(results)}</p>
          <div class="pair">${results.map((result) => html`<${Result} key=${result.version} result=${result} most=${most} />`)}</div>`}
        ${results && !isMeasured && html`<p class="note">This server measures nothing: it was started with --bare.</p>`}
      </div>
      <h2>What makes the difference</h2>
      <p>v1 holds a thread from the first byte of a request to the last, as a synchronous server does, and has few of
        them. v2 holds one only while there is something to compute. Alone the two are equally quick. They part when
        requests <em>wait</em>: for a database that is 20 ms away (<code>LATENCY_DB=20ms</code>), with more visitors
        than there are threads. Then the queue of v1 grows, and “queue wait” says by how much.</p>
    </section>`;
}
