// Flame graphs of both lanes on one scale, so that few samples look few, and their difference.

import { choices, element, one } from './dom.js';
import { count, counted } from './format.js';
import { holding, leaves, parsed, total, tree } from './flame-model.js';
import * as speedscope from './speedscope.js';

const ROW = 21;
// Narrowest frame that is drawn, and the least difference that is no coincidence, as shares.
const LEAST = 0.01;
const NEUTRAL = 0.15;

const ABOUT = {
  wall: 'Every thread is sampled by the clock, asleep or not. Idle workers are left out.',
  cpu: 'Only threads that run are sampled: who sleeps or waits is not here.',
};

// Draws a tree. width: share of the picture for a node; shade: its class.
function drawn(root, width, shade, title) {
  const boxes = [];
  let deepest = 0;
  const visit = (node, depth, left) => {
    const share = width(node);
    if (share < LEAST) return;
    deepest = Math.max(deepest, depth);
    const box = element(`span.frame.${shade(node)}`, { title: title(node) }, share > 0.02 ? node.name : '');
    box.style.left = `${left * 100}%`;
    box.style.width = `${share * 100}%`;
    box.style.bottom = `${depth * ROW}px`;
    boxes.push(box);
    let at = left;
    for (const part of [...node.parts.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      visit(part, depth + 1, at);
      at += width(part);
    }
  };
  visit(root, 0, 0);
  const graph = element('div.flame', {}, ...boxes);
  graph.style.height = `${(deepest + 1) * ROW}px`;
  return graph;
}

const kind = (node) => (node.isOurs ? 'ours' : / framework frames$/.test(node.name) ? 'folded' : 'theirs');

function side(stacks, most, capture, name) {
  const root = tree([stacks]);
  const width = (node) => node.values[0] / Math.max(most, 1);
  const title = (node) => `${node.name}: ${counted(node.values[0], 'sample')}`;
  const graph = drawn(root, width, kind, title);
  graph.setAttribute('role', 'img');
  graph.setAttribute('aria-label', `Flame graph of ${name}: ${counted(root.values[0], 'sample')}`);
  return element('div', {},
    element('h4', {}, name, ` · ${counted(root.values[0], 'sample')} `, capture ? speedscope.opener(capture, name) : null), graph);
}

function difference(sides, names) {
  const root = tree(sides);
  const all = Math.max(root.values[0] + root.values[1], 1);
  const width = ({ values }) => (values[0] + values[1]) / all;
  const shade = ({ values: [a, b] }) => {
    const apart = (a - b) / Math.max(a + b, 1);
    return Math.abs(apart) < NEUTRAL ? 'shared' : apart > 0 ? 'more-0' : 'more-1';
  };
  const title = ({ name, values: [a, b] }) => `${name}: ${count(a)} in ${names[0]}, ${count(b)} in ${names[1]}`;
  const graph = drawn(root, width, shade, title);
  graph.setAttribute('role', 'img');
  graph.setAttribute('aria-label', `Difference of ${names[0]} and ${names[1]}`);
  return element('div', {},
    element('h4', {}, 'The difference: ', element('span.more-0', {}, `more in ${names[0]}`), ' ',
      element('span.more-1', {}, `more in ${names[1]}`), ' ', element('span.shared', {}, 'shared')), graph);
}

// One sentence: where the first lane's threads were, and the second's.
function said([a, b], names, mode) {
  const [top] = leaves(a);
  const where = mode === 'cpu' ? 'CPU samples' : 'samples';
  if (!top) return `No app worker was seen in ${names[0]}: ${mode === 'cpu' ? 'it used no CPU to speak of.' : 'they were idle.'}`;
  return `${count(top[1])} of ${count(total(a))} ${where} of ${names[0]} are in ${top[0]}; of ${names[1]}, ${count(holding(b, top[0]))} of ${count(total(b))}.`;
}

export class Flames {
  constructor(place) {
    this.place = place;
    this.mode = 'wall';
    choices(one('[data-flame-modes]', place), (mode) => { this.mode = mode; this.draw(); });
  }

  // profiles: for each lane { wall, cpu }, each { text, capture } or null.
  show(profiles, names) {
    Object.assign(this, { profiles, names });
    this.place.hidden = !profiles.some(({ wall, cpu }) => wall || cpu);
    if (!this.place.hidden) this.draw();
  }

  draw() {
    const of = this.profiles.map((profiles) => profiles[this.mode]);
    const sides = of.map((profile) => parsed(profile?.text ?? ''));
    const most = Math.max(...sides.map(total));
    one('[data-flame-about]', this.place).textContent = ABOUT[this.mode];
    one('[data-flame-said]', this.place).textContent = said(sides, this.names, this.mode);
    one('[data-flame-graphs]', this.place).replaceChildren(
      ...sides.map((stacks, lane) => side(stacks, most, of[lane]?.capture, this.names[lane])),
      ...(most > 0 ? [difference(sides, this.names)] : []));
  }
}
