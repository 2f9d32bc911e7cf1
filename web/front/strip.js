//! The cost strip: what the last request cost, the last twenty as a chart and as a table.

import { Bars } from './chart.js';
import { KEPT, costs, counted, inMillis, inWordsOfCache, inWordsOfQueue } from './cost.js';
import { html, useState } from './preact.js';
import { Messages } from './say.js';
import { useStore } from './store.js';

const NAMES = { v1: 'v1', v2: 'v2', blog: 'blog' };

/** Link to the trace, or why there is none. */
function Trace({ cost, children }) {
  if (!cost.link) return html`<span title="Ops is not reachable from here: OPS_PUBLIC_URL says where it is">${children}</span>`;
  return html`<a href=${cost.link} target="_blank" rel="noopener">${children}</a>`;
}

function Version({ of }) {
  return html`<span class=${`tag ${of}`}>${NAMES[of]}</span>`;
}

function Now({ cost }) {
  return html`
    <div class="now">
      <p class="what"><span class="unseen">Last request: </span><${Version} of=${cost.version} /> <span class="request">${cost.method} ${cost.shortPath}</span> ${cost.status >= 400 && html`<span class="status">${cost.status}</span>`}</p>
      <dl class="numbers">
        <div><dt>Time</dt><dd class="millis">${inMillis(cost.total)}</dd></div>
        <div><dt>Queries</dt><dd>${cost.queries}</dd></div>
        <div><dt>Cache</dt><dd>${inWordsOfCache(cost)}</dd></div>
        <div><dt>Queue</dt><dd>${inWordsOfQueue(cost)}</dd></div>
        <div><dt>Trace</dt><dd><${Trace} cost=${cost}>${cost.link ? 'open' : cost.trace?.slice(0, 8)}<//></dd></div>
      </dl>
    </div>`;
}

function Table({ all }) {
  return html`
    <div class="table" tabindex="0" role="region" aria-label="The last requests and their costs">
      <table>
        <thead><tr>
          <th scope="col">Version</th><th scope="col">Request</th><th scope="col">Status</th>
          <th scope="col" class="right">Server</th><th scope="col" class="right">Here</th>
          <th scope="col" class="right">Queries</th><th scope="col">Cache</th><th scope="col" class="right">Queue wait</th>
          <th scope="col">Trace</th>
        </tr></thead>
        <tbody>
          ${all.toReversed().map((cost) => html`
            <tr key=${cost.number}>
              <td><${Version} of=${cost.version} /></td><td class="request">${cost.method} ${cost.path}</td><td>${cost.status}</td>
              <td class="right">${inMillis(cost.total)}</td><td class="right">${inMillis(cost.seen)}</td>
              <td class="right">${cost.queries}</td><td>${inWordsOfCache(cost)}</td><td class="right">${inWordsOfQueue(cost)}</td>
              <td><${Trace} cost=${cost}>${cost.trace?.slice(0, 8)}<//></td>
            </tr>`)}
        </tbody>
      </table>
    </div>`;
}

export function Strip() {
  const all = useStore(costs);
  const [isOpen, setOpen] = useState(false);
  const last = all.at(-1);
  const of = (version) => all.filter((cost) => cost.version === version).length;
  const label = `The last ${counted(all.length, 'request')}: ${of('v1')} on v1, ${of('v2')} on v2, ${of('blog')} of the blog`;
  return html`
    <footer class="strip" aria-label="Cost of the last requests">
      <${Messages} />
      ${isOpen && html`<${Table} all=${all} />`}
      <div class="row">
        ${last ? html`<${Now} cost=${last} />` : html`<p class="now">What each click costs is shown here.</p>`}
        <div class="side">
          <${Bars} bars=${all} room=${KEPT} label=${label} />
          <button type="button" class="quiet" aria-expanded=${isOpen ? 'true' : 'false'} disabled=${!last}
            aria-label=${`The last ${KEPT} requests`} onClick=${() => setOpen(!isOpen)}>
            <span>Last ${KEPT}</span> <svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d=${isOpen ? 'M3 6l5 5 5-5' : 'M3 10l5-5 5 5'} /></svg>
          </button>
        </div>
      </div>
    </footer>`;
}
