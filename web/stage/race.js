// A race: what the server sends while it runs, or what a recording holds. Each lane has an axis of its own
// that begins when the lane does, so that lanes which ran one after the other replay side by side.

// Ticks a second; moments are rounded to them, so that both lanes have the same ones.
export const RATE = 4;

export class Race {
  constructor({ ticks = [], ...race }) {
    this.race = race;
    this.frames = [[], []];
    this.addTicks(ticks);
  }

  get isRunning() {
    return this.race.state === 'running';
  }

  get isOver() {
    return !this.isRunning;
  }

  lane(index) {
    return this.race.lanes[index];
  }

  addTicks(ticks) {
    ticks.forEach((tick) => this.addTick(tick));
  }

  // Adds a tick to the lanes that run in it.
  addTick(tick) {
    tick.lanes.forEach((lane, index) => {
      if (!['running', 'ending'].includes(lane.state)) return;
      const frames = this.frames[index];
      this.began ??= [null, null];
      this.began[index] ??= this.lane(index).started_ms ?? tick.at_ms;
      const place = Math.max(0, Math.round(((tick.at_ms - this.began[index]) / 1000) * RATE));
      frames[place] = { ...lane, at: place / RATE, neighbour: tick.neighbour, workers: tick.workers };
    });
    this.newest = tick;
  }

  setLane({ index, lane }) {
    this.race.lanes[index] = lane;
    if (lane.started_ms != null) (this.began ??= [null, null])[index] ??= lane.started_ms;
  }

  addNote(note) {
    this.race.notes.push(note);
  }

  finish(race) {
    this.race = { ...race, ticks: undefined };
    // The last tick is from just before the end, and may lack the last answers.
    this.frames.forEach((frames, index) => {
      const { sent, answered, failed, dropped } = this.lane(index).requests;
      if (frames.length) Object.assign(frames.at(-1), { sent, answered, failed, dropped });
    });
  }

  // Lane that runs now; -1 if none does.
  get running() {
    return this.race.lanes.findIndex(({ state }) => ['running', 'ending'].includes(state));
  }

  // Seconds from a lane's start to its last tick.
  length(index) {
    return Math.max(0, this.frames[index].length - 1) / RATE;
  }

  // Seconds that the axis shows: what was asked for, or more if a lane took longer to end.
  get seconds() {
    return Math.max(this.race.seconds ?? 0, this.length(0), this.length(1), 1);
  }

  // The lane at a moment of its own axis: the last tick until then.
  at(index, seconds) {
    const frames = this.frames[index];
    for (let place = Math.min(Math.floor(seconds * RATE + 1e-6), frames.length - 1); place >= 0; place -= 1) {
      if (frames[place]) return frames[place];
    }
    return null;
  }

  // Moment that is shown while it runs: that of the running lane.
  get now() {
    return this.running < 0 ? this.seconds : this.length(this.running);
  }

  // Gate lines of the latency chart, in milliseconds.
  get lines() {
    return (this.race.gate ?? []).filter(({ metric }) => metric === 'http_req_duration');
  }
}
