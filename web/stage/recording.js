// Recordings: a race with its traces and profiles in one JSON file, for machines that cannot show it.

import { all, element } from './dom.js';
import { json, last } from './feed.js';
import { foldedText } from './flame-model.js';
import { taken } from './why.js';

const COMMITTED = '/assets/recordings/';

// Recording that the address asks for: `?recording` alone is the lab's own; a name is one of the committed ones.
export function wanted({ recording }) {
  const query = new URLSearchParams(location.search);
  if (!query.has('recording')) return null;
  const name = query.get('recording');
  if (!name) return recording;
  return /^[\w-]+$/.test(name) ? `${COMMITTED}${name}.json` : null;
}

// { race, traces, profiles }
export const load = (path) => json(path);

// What only the server of that race could answer, and digits that nobody sees.
const GONE = new Set(['server', 'trace_id', 'captures']);
const brief = (key, value) => {
  if (GONE.has(key)) return key === 'captures' ? [] : undefined;
  return typeof value === 'number' ? Math.round(value * 100) / 100 : value;
};

// The picture without its links to traces.
function unlinked(markup) {
  if (!markup) return null;
  const page = new DOMParser().parseFromString(markup, 'text/html');
  all('a[href^="/debug/traces/"]', page).forEach((link) => link.replaceWith(...link.childNodes));
  return page.body.innerHTML;
}

// The last race of this lab as the text of a recording.
export async function made(lab) {
  const race = await last(lab);
  if (!race) throw new Error('there is no race to save yet');
  const { traces, profiles } = await taken(race);
  const kept = profiles.map((modes) => Object.fromEntries(
    Object.entries(modes).map(([mode, profile]) => [mode, profile && { text: foldedText(profile.text) }])));
  return JSON.stringify({ race: JSON.parse(JSON.stringify(race, brief)), traces: unlinked(traces), profiles: kept });
}

export async function save(lab) {
  const file = new Blob([await made(lab)], { type: 'application/json' });
  const link = element('a', { href: URL.createObjectURL(file), download: `${lab}.json` });
  link.click();
  URL.revokeObjectURL(link.href);
}
