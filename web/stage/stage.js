// The stage: binds the parts of a lab's page together. Each part is a file of its own.

import { all, element, one, say } from './dom.js';
import * as feed from './feed.js';
import { Chart } from './chart.js';
import * as code from './code.js';
import { Controls } from './controls.js';
import { Guess } from './guess.js';
import * as hints from './hints.js';
import * as keys from './keys.js';
import { LaneCard, described } from './lanes.js';
import * as outcome from './outcome.js';
import { Playback } from './playback.js';
import { Race } from './race.js';
import * as recording from './recording.js';
import { Strips } from './strips.js';
import { Why } from './why.js';

const lab = JSON.parse(one('[data-stage]').dataset.stage);
const status = one('[data-status]');
const cards = all('[data-card]').map((card, lane) => new LaneCard(card, lane));
const controls = new Controls(one('[data-controls]'), status, lab, (lane, variant) => cards[lane].preview(variant));
const strips = new Strips(one('[data-strips]'));
const guess = new Guess(one('[data-guess]'), lab);
const why = new Why(one('[data-why]'));
const playback = new Playback(one('.playback'), (shown, until) => draw(until));
const chart = new Chart(one('[data-chart=latency]'), {
  opened: (seconds, ms) => openSlowest(seconds, ms),
  resized: (plot) => race && strips.draw(race, shownUntil, plot),
});
let race = null;
let shownUntil = [0, 0];

// Draws the race at a moment of each lane's axis.
function draw(until) {
  shownUntil = until;
  cards.forEach((card, lane) => card.draw(race, race.at(lane, Math.min(until[lane], race.seconds))));
  chart.draw(race, until);
}

// While the second lane runs, the first one's numerals are of the same moment: they race.
function drawLive() {
  cards.forEach((card, lane) => card.draw(race, race.at(lane, race.now)));
  shownUntil = [race.length(0), race.length(1)];
  chart.draw(race, shownUntil);
}

function begin(data) {
  race = new Race(data);
  playback.of(null);
  why.clear();
  outcome.show(one('[data-outcome]'), race);
  legend();
  controls.set({ isRunning: race.isRunning });
  say(status, described(race));
  drawLive();
}

function end(data, recorded) {
  race.finish(data);
  controls.set({ isRunning: false, isRecordable: !recorded && data.state === 'finished' });
  say(status, described(race));
  guess.reveal(race);
  outcome.show(one('[data-outcome]'), race);
  playback.of(race);
  draw([race.seconds, race.seconds]);
  why.show(data, recorded);
}

function show(data, recorded) {
  begin(data);
  if (race.isOver) end(data, recorded);
}

function legend() {
  const key = (name, text) => element('li', {}, element(`span.line.${name}`), ` ${text}`);
  const lanes = race.race.lanes.flatMap(({ variant }, lane) => [
    key(`lane-${lane}`, `${variant}, p95`), key(`neighbour-${lane}`, `neighbour beside ${variant}`)]);
  one('[data-legend]').replaceChildren(...lanes, ...(race.lines.length ? [key('gate', 'gate')] : []));
}

// The slowest request of the nearest second that has one, of the lane whose point is nearer.
function openSlowest(seconds, ms) {
  const away = ({ second }) => Math.abs(second - Math.floor(seconds));
  const distance = (request) => Math.abs(Math.log(request.ms) - Math.log(Math.max(ms, 0.1)));
  const all = race.race.lanes.flatMap(({ slowest = [] }) => slowest).filter(({ trace_id }) => trace_id);
  const [nearest] = all.sort((a, b) => away(a) - away(b) || distance(a) - distance(b));
  if (nearest) window.open(`/debug/traces/${nearest.trace_id}`, '_blank', 'noopener');
}

function follow() {
  // A change before the race itself is of one that this page has not seen begin; the race comes first.
  const known = (handle) => (data) => { if (race?.isRunning) handle(data); };
  feed.follow(lab.id, {
    race: begin,
    ticks: known((ticks) => { race.addTicks(ticks); drawLive(); }),
    tick: known((tick) => { race.addTick(tick); drawLive(); }),
    lane: known((change) => { race.setLane(change); say(status, described(race)); }),
    note: known((note) => { race.addNote(note); say(status, described(race)); }),
    end: known((data) => end(data)),
  });
}

async function open() {
  const path = recording.wanted(lab);
  if (path) {
    controls.set({ mayStart: false });
    const recorded = await controls.tried(() => recording.load(path));
    if (recorded) show(recorded.race, recorded);
    return;
  }
  const mayStart = (await feed.session()).access === 'full';
  controls.set({ mayStart });
  const before = lab.has_race ? await controls.tried(() => feed.last(lab.id)) : null;
  if (before) show(before);
  else if (!mayStart) say(status, 'You watch here: who teaches starts the race.');
  else if (lab.recording) status.append('Not raced on this server yet: ', element('a', { href: '?recording' }, 'replay a recording'), ', or race.');
  follow();
  const address = await feed.followers(window.location.pathname);
  if (address) one('[data-followers]').append('Phones may watch at ', element('a', { href: address }, address), '.');
}

keys.wire();
hints.wire(one('[data-hints]'));
code.show(one('.code'), lab.id);
open();
