// Why: a trace of each lane on one time scale, and the profiles taken while the lanes ran.

import { element, one } from './dom.js';
import { json, text } from './feed.js';
import { Flames } from './flames.js';

// The slowest kept request of a lane.
const slowest = ({ slowest: all = [] }) => all.filter((request) => request.is_kept).sort((a, b) => b.ms - a.ms)[0]?.trace_id;

// The page of two traces has what is needed; the server drew it.
async function compared(lanes) {
  const [a, b] = lanes.map(slowest);
  if (!a || !b) return null;
  const page = new DOMParser().parseFromString(await text(`/debug/traces/compare?a=${a}&b=${b}`), 'text/html');
  return one('.compared', page)?.outerHTML ?? null;
}

async function profile(captures, mode) {
  const id = captures?.find((capture) => capture.mode === mode)?.id;
  if (id == null) return null;
  try {
    return { capture: id, text: await text(`/debug/pprof/captures/${id}?format=stacks`) };
  } catch {
    // It made room for newer ones.
    return null;
  }
}

// Traces and profiles of a race, for the page and for a recording of it.
export async function taken(race) {
  const { lanes, captures } = race;
  const of = async (lane) => {
    const from = lane.captures?.length ? lane.captures : captures;
    return { wall: await profile(from, 'wall'), cpu: await profile(from, 'cpu') };
  };
  const traces = await compared(lanes).catch(() => null);
  return { traces, profiles: [await of(lanes[0]), await of(lanes[1])] };
}

// What a race whose traces have been evicted by newer ones still has to say.
async function fallback(lab) {
  const { requests } = await json(`/debug/traces?format=json&limit=1&lab=${lab}`).catch(() => ({ requests: [] }));
  return element('p', {}, 'No trace of both lanes is kept any more. ',
    element('a', { href: `/debug/traces?lab=${lab}` }, requests.length ? 'Those that are' : 'Recent traces'), '.');
}

export class Why {
  constructor(place) {
    this.place = place;
    this.flames = new Flames(one('[data-flames]', place));
  }

  // A race begins: what was here is of another one.
  clear() {
    one('[data-traces]', this.place).replaceChildren();
    one('[data-flames]', this.place).hidden = true;
    one('[data-why-empty]', this.place).hidden = false;
  }

  async show(race, recorded) {
    const { traces, profiles } = recorded ?? await taken(race);
    const place = one('[data-traces]', this.place);
    one('[data-why-empty]', this.place).hidden = true;
    if (traces) {
      const page = new DOMParser().parseFromString(traces, 'text/html');
      place.replaceChildren(element('h3', {}, 'The slowest request of each lane, on one time scale'), one('.compared', page));
    } else place.replaceChildren(await fallback(race.lab));
    this.flames.show(profiles, race.lanes.map(({ variant }) => variant));
  }
}
