// Replay: both lanes from their starts, side by side, and a slider for any moment.

import { one } from './dom.js';

// Longest replay, in seconds: a long race is shown faster.
const LONGEST = 15;

export class Playback {
  constructor(place, shown) {
    this.shown = shown;
    this.button = one('[data-replay]', place);
    this.slider = one('[data-time]', place);
    this.clock = one('[data-clock]', place);
    this.button.addEventListener('click', () => (this.playing ? this.pause() : this.play()));
    this.slider.addEventListener('input', () => {
      this.pause();
      this.go((this.slider.value / this.slider.max) * this.seconds);
    });
  }

  // A race to replay, or null while one runs.
  of(race) {
    this.pause();
    this.race = race;
    this.button.disabled = this.slider.disabled = !race;
    if (race) this.mark(race.seconds);
  }

  get seconds() {
    return this.race?.seconds ?? 1;
  }

  mark(seconds) {
    this.at = seconds;
    this.slider.value = Math.round((seconds / this.seconds) * this.slider.max);
    this.slider.setAttribute('aria-valuetext', `${seconds.toFixed(1)} s`);
    this.clock.textContent = `${seconds.toFixed(1)} s`;
  }

  go(seconds) {
    this.mark(seconds);
    this.shown(this.race, [seconds, seconds]);
  }

  play() {
    if (!this.race) return;
    const from = this.at >= this.seconds - 0.01 ? 0 : this.at;
    const speed = Math.max(1, this.seconds / LONGEST);
    const began = performance.now();
    this.button.textContent = 'Pause';
    const step = (now) => {
      const seconds = from + ((now - began) / 1000) * speed;
      if (seconds >= this.seconds) {
        this.go(this.seconds);
        this.pause();
      } else {
        this.go(Math.max(0, seconds));
        this.playing = requestAnimationFrame(step);
      }
    };
    this.playing = requestAnimationFrame(step);
  }

  pause() {
    if (this.playing) cancelAnimationFrame(this.playing);
    this.playing = null;
    this.button.textContent = 'Replay';
  }
}
