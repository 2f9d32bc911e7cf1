// A lane's card: its numerals at a moment, and a slot for each worker. A held worker leads to its trace.

import { all, element, one, say } from './dom.js';
import { count, counted, time, timeText } from './format.js';

// Latency of the neighbour that nobody minds, and shortest poll that counts as held.
const QUIET_MS = 50;
const HELD_MS = 10;

const STATES = {
  waiting: 'waits for its turn',
  settling: 'waits until all is quiet',
  running: 'running',
  ending: 'no new requests; awaits the last answers',
  ended: 'done',
};

export class LaneCard {
  constructor(card, lane) {
    Object.assign(this, { card, lane });
    this.numerals = Object.fromEntries(all('[data-numeral]', card).map((numeral) => [numeral.dataset.numeral, numeral]));
    this.slots = one('[data-slots]', card);
  }

  named(name) {
    say(one('[data-name]', this.card), name);
  }

  // Before a race: the variant that is chosen, and the idea of a wrong fix.
  preview({ name, idea }) {
    this.named(name);
    say(one('[data-state]', this.card), idea ?? 'not raced yet');
  }

  // frame: null before the lane's first tick.
  draw(race, frame) {
    const lane = race.lane(this.lane);
    this.named(lane.variant);
    const waited = lane.waited_ms > 1000 && lane.state !== 'settling' ? `, after ${timeText(lane.waited_ms)} of quiet` : '';
    say(one('[data-state]', this.card), (STATES[lane.state] ?? lane.state) + waited);
    this.card.dataset.state = lane.state;
    const limit = Math.min(...race.lines.map((line) => line.limit));
    const judged = (ms, most) => (ms == null || !Number.isFinite(most) ? '' : ms >= most ? 'bad' : 'good');
    this.time('p95', frame?.p95_ms, judged(frame?.p95_ms, limit));
    this.time('p50', frame?.p50_ms, '');
    this.time('oldest', frame?.oldest_ms, judged(frame?.oldest_ms, limit) === 'bad' ? 'bad' : '');
    this.time('neighbour', frame?.neighbour?.worst_ms, judged(frame?.neighbour?.worst_ms, QUIET_MS));
    this.number('answered', count(frame?.answered));
    this.number('in_flight', count(frame?.in_flight));
    this.number('failed', count(frame?.failed), frame?.failed > 0 ? 'bad' : '');
    if (frame) this.drawSlots(frame.workers ?? []);
  }

  time(key, ms, judgement) {
    this.number(key, ...time(ms), judgement);
  }

  number(key, text, unit = '', judgement = '') {
    const numeral = this.numerals[key];
    const value = one('dd', numeral);
    const shown = unit ? `${text} ${unit}` : text;
    if (value.textContent !== shown) value.replaceChildren(text, ...(unit ? [' ', element('small', {}, unit)] : []));
    numeral.className = ['neighbour'].filter((name) => name === key).concat(judgement || []).join(' ');
  }

  // One slot a worker; many workers share a line.
  drawSlots(workers) {
    if (this.slots.childElementCount !== workers.length || !one('.slot', this.slots)) {
      this.slots.replaceChildren(...workers.map(() => element('a.slot', { target: '_blank', rel: 'noopener' })));
    }
    workers.forEach(({ worker, variant, route, trace_id: trace, held_ms: ms }, place) => {
      const slot = this.slots.children[place];
      const isHeld = ms != null && ms >= HELD_MS;
      slot.className = isHeld ? 'slot held' : 'slot';
      say(slot, isHeld ? `worker ${worker}: held ${timeText(ms)} by ${variant ?? route ?? 'a request'}` : `worker ${worker}: free`);
      if (isHeld && trace) slot.href = `/debug/traces/${trace}`;
      else slot.removeAttribute('href');
    });
  }
}

// Sentence about a race for the status line.
export function described(race) {
  const { race: { state, mode, load, notes, reason, neighbour } } = race;
  if (state === 'running') return notes?.at(-1)?.text ?? `${load}: it begins`;
  if (state === 'failed') return `The race failed: ${reason ?? 'no reason is known'}`;
  const how = { turns: 'One after the other, with the same arrivals', both: 'Both at once, so no verdict', gate: 'The gate' }[mode] ?? mode;
  const worst = neighbour?.worst_ms == null ? '' : ` The neighbour waited ${timeText(neighbour.worst_ms)} at worst (${counted(neighbour.asked, 'request')}).`;
  return `${how}${state === 'stopped' ? ', stopped early' : ''}: ${load ?? ''}.${worst}`;
}
