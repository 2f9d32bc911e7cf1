// Worker lanes: for each lane of the race and each app worker, what it was held by over time, below the chart
// and on its axis. A click on a held piece leads to its trace.

import { element, ink } from './dom.js';
import { RATE } from './race.js';

// Shortest poll that counts as held, as on the page of blocked polls.
const HELD_MS = 10;
const GAP = 4;
const height = () => (document.documentElement.dataset.projector === 'on' ? 24 : 14);

// Pieces of one worker: { from, to, trace }, merged while the same request holds it. A tick in which it was held
// stands for the time since the tick before: many polls are shorter than that.
function pieces(frames, worker) {
  const found = [];
  for (const frame of frames) {
    const slot = frame?.workers?.[worker];
    if (!slot?.trace_id && !slot?.route) continue;
    if ((slot.held_ms ?? 0) < HELD_MS) continue;
    const from = Math.max(0, frame.at - Math.max(slot.held_ms / 1000, 1 / RATE));
    const before = found.at(-1);
    if (before && before.trace === slot.trace_id && from <= before.to) before.to = frame.at;
    else found.push({ from: Math.max(from, before?.to ?? 0), to: frame.at, trace: slot.trace_id });
  }
  return found;
}

export class Strips {
  constructor(place) {
    this.place = place;
    this.canvases = [0, 1].map((lane) => {
      const canvas = element('canvas.strip');
      canvas.addEventListener('click', (event) => this.click(lane, event));
      place.append(canvas);
      return canvas;
    });
    this.drawn = [[], []];
  }

  // plot: the chart, whose axis is taken over.
  draw(race, until, plot) {
    const ratio = devicePixelRatio;
    this.axis = { left: plot.bbox.left / ratio, width: plot.bbox.width / ratio, seconds: race.seconds };
    const workers = race.race.workers ?? 0;
    this.row = height();
    const high = workers * this.row + GAP;
    const width = this.place.clientWidth;
    this.canvases.forEach((canvas, lane) => {
      if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(high * ratio)) {
        canvas.width = Math.round(width * ratio);
        canvas.height = Math.round(high * ratio);
        canvas.style.height = `${high}px`;
      }
      const context = canvas.getContext('2d');
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.clearRect(0, 0, width, high);
      const frames = race.frames[lane].filter((frame) => frame && frame.at <= until[lane]);
      this.drawn[lane] = Array.from({ length: workers }, (_, worker) => pieces(frames, worker));
      this.paint(context, lane, frames.at(-1)?.at ?? 0);
    });
  }

  x(seconds) {
    return this.axis.left + (seconds / this.axis.seconds) * this.axis.width;
  }

  paint(context, lane, end) {
    const [free, held, quiet] = [ink('rule'), ink(`lane-${lane}`), ink('quiet')];
    context.font = `${Math.round(this.row * 0.78)}px system-ui, sans-serif`;
    context.textBaseline = 'middle';
    context.textAlign = 'right';
    this.drawn[lane].forEach((row, worker) => {
      const y = worker * this.row;
      context.fillStyle = quiet;
      context.fillText(`worker ${worker}`, this.axis.left - 6, y + this.row / 2);
      context.fillStyle = free;
      context.fillRect(this.x(0), y + this.row / 2 - 1, Math.max(0, this.x(end) - this.x(0)), 2);
      context.fillStyle = held;
      for (const { from, to } of row) {
        context.fillRect(this.x(from), y + 1, Math.max(2, this.x(to) - this.x(from) - 0.5), this.row - 3);
      }
    });
  }

  click(lane, { offsetX, offsetY }) {
    const seconds = ((offsetX - this.axis.left) / this.axis.width) * this.axis.seconds;
    const row = this.drawn[lane][Math.floor(offsetY / this.row)] ?? [];
    const near = 1 / RATE / 2;
    const hit = row.find(({ from, to }) => seconds >= from - near && seconds <= to + near);
    if (hit?.trace) open(`/debug/traces/${hit.trace}`, '_blank', 'noopener');
  }
}
