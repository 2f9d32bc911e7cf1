// The chart: p95 of both lanes and what the neighbour suffers, on one time axis and a logarithmic scale, with
// the gate's lines drawn thick. A point is the slowest answer of its quarter second.

import { ink } from './dom.js';
import { RATE } from './race.js';
import { timeText } from './format.js';

// Least latency that is drawn: a logarithm has no zero.
const LEAST = 0.1;
const TICKS = [0.1, 1, 10, 100, 1000, 10000, 100000];

const COLUMNS = [
  { read: (frame) => frame.p95_ms, width: 4 },
  { read: (frame) => frame.neighbour?.worst_ms, width: 2, dash: [4, 5] },
  { read: (frame) => Math.max(...(frame.last ?? []).map(({ ms }) => ms)), points: true },
];

const isProjected = () => document.documentElement.dataset.projector === 'on';
const clamped = (ms) => (ms == null || !Number.isFinite(ms) ? null : Math.max(ms, LEAST));

// Columns of the chart: time, and for each lane those above, until a moment.
function columns(race, until) {
  const places = Array.from({ length: Math.floor(race.seconds * RATE) + 1 }, (_, place) => place);
  const of = (lane, read) => places.map((place) => {
    const frame = place / RATE <= until[lane] ? race.frames[lane][place] : null;
    return frame ? clamped(read(frame)) : null;
  });
  return [places.map((place) => place / RATE), ...[0, 1].flatMap((lane) => COLUMNS.map(({ read }) => of(lane, read)))];
}

function gateLines(chart, race) {
  const { ctx, bbox } = chart;
  const ratio = devicePixelRatio;
  ctx.save();
  for (const { expression, limit } of race?.lines ?? []) {
    const y = chart.valToPos(Math.max(limit, LEAST), 'y', true);
    if (y < bbox.top || y > bbox.top + bbox.height) continue;
    ctx.strokeStyle = ctx.fillStyle = ink('gate');
    ctx.lineWidth = 5 * ratio;
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.font = `600 ${(isProjected() ? 22 : 13) * ratio}px system-ui, sans-serif`;
    ctx.textAlign = 'right';
    ctx.textBaseline = 'bottom';
    ctx.fillText(`gate ${expression} ms`, bbox.left + bbox.width - 6 * ratio, y - 5 * ratio);
  }
  ctx.restore();
}

export class Chart {
  constructor(place, { opened, resized }) {
    Object.assign(this, { place, opened, resized });
    this.until = [0, 0];
    new ResizeObserver(() => this.fit()).observe(place);
    document.addEventListener('scheme', () => this.rebuild());
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.rebuild());
  }

  get size() {
    return { width: Math.max(this.place.clientWidth, 100), height: Math.max(this.place.clientHeight, 100) };
  }

  fit() {
    this.plot?.setSize(this.size);
  }

  rebuild() {
    this.plot?.destroy();
    this.plot = null;
    if (this.race) this.draw(this.race, this.until);
  }

  draw(race, until) {
    const isOther = race !== this.race || race.seconds !== this.seconds;
    Object.assign(this, { race, until, seconds: race.seconds });
    const data = columns(race, until);
    if (!this.plot) this.plot = new uPlot(this.options(), data, this.place);
    else this.plot.setData(data, false);
    if (isOther) this.plot.setScale('x', { min: 0, max: race.seconds });
    this.plot.redraw(false, true);
    this.resized(this.plot);
    const ends = race.race.lanes.map(({ variant }, lane) => `${variant} ${timeText(race.at(lane, until[lane])?.p95_ms)}`);
    this.place.setAttribute('aria-label', `Latency over time; p95 at the end: ${ends.join(', ')}`);
  }

  options() {
    const isLarge = isProjected();
    const font = `${isLarge ? 20 : 13}px system-ui, sans-serif`;
    const [quiet, rule] = [ink('quiet'), ink('rule')];
    const grid = { stroke: rule, width: 1 };
    const lanes = [ink('lane-0'), ink('lane-1')].flatMap((stroke) => COLUMNS.map(({ width, dash, points }) => ({
      stroke, width: (width ?? 0) * (isLarge ? 1.5 : 1), dash, spanGaps: true,
      paths: points ? () => null : undefined,
      points: points ? { show: true, size: isLarge ? 10 : 6, fill: stroke, stroke } : { show: false },
    })));
    return {
      ...this.size,
      padding: [10, 10, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false } },
      scales: {
        x: { time: false, range: () => [0, this.seconds] },
        y: { distr: 3, range: () => this.range() },
      },
      axes: [
        { stroke: quiet, grid, font, ticks: grid, size: isLarge ? 40 : 30, values: (_, ticks) => ticks.map((at) => `${at} s`) },
        { stroke: quiet, grid, font, ticks: grid, size: isLarge ? 90 : 62, splits: () => TICKS, values: (_, ticks) => ticks.map(timeText) },
      ],
      series: [{}, ...lanes],
      hooks: {
        ready: [(plot) => plot.over.addEventListener('click', (event) => this.click(plot, event))],
        draw: [(plot) => gateLines(plot, this.race)],
        setSize: [(plot) => this.resized(plot)],
      },
    };
  }

  // From below the fastest answer to above the slowest one and the gate, by whole powers of ten.
  range() {
    const values = this.plot ? this.plot.data.slice(1).flat().filter((value) => value != null) : [];
    const limits = this.race.lines.map(({ limit }) => limit);
    const [least, most] = [Math.min(1, ...values), Math.max(1000, ...values, ...limits)];
    return [10 ** Math.floor(Math.log10(least)), 10 ** Math.ceil(Math.log10(most * 1.05))];
  }

  click(plot, { offsetX, offsetY }) {
    this.opened(plot.posToVal(offsetX, 'x'), plot.posToVal(offsetY, 'y'));
  }
}
