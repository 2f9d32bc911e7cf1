// What starts and stops a race, and what is refused.

import { all, one, say } from './dom.js';
import * as feed from './feed.js';
import * as recording from './recording.js';

export class Controls {
  // chosen: told of the variant of a lane.
  constructor(place, status, lab, chosen) {
    Object.assign(this, { place, status, lab, mayStart: true, isRunning: false });
    all('[data-lane]', place).forEach((select, lane) => select.addEventListener('change', () => {
      if (!this.isRunning) chosen(lane, lab.variants.find(({ name }) => name === select.value));
    }));
    place.addEventListener('submit', (event) => { event.preventDefault(); this.start('turns'); });
    all('[data-start][type=button]', place).forEach((button) => {
      button.addEventListener('click', () => this.start(button.dataset.start));
    });
    one('[data-stop]', place).addEventListener('click', () => this.tried(() => feed.stop(lab.id)));
    one('[data-recording]', place).addEventListener('click', () => this.tried(() => recording.save(lab.id)));
  }

  // Sees to the buttons: one race at a time, and none by who only watches.
  set({ isRunning = this.isRunning, mayStart = this.mayStart, isRecordable = false }) {
    Object.assign(this, { isRunning, mayStart });
    all('[data-start]', this.place).forEach((button) => { button.disabled = isRunning || !mayStart; });
    one('[data-stop]', this.place).disabled = !isRunning || !mayStart;
    one('[data-recording]', this.place).hidden = !isRecordable;
  }

  async start(mode) {
    const lanes = all('[data-lane]', this.place).map(({ value }) => value);
    const load = mode === 'gate' ? {} : {
      visitors: Number(new FormData(this.place).get('visitors')),
      seconds: Number(one('[data-seconds]', this.place).value),
    };
    say(this.status, 'It begins…');
    await this.tried(() => feed.start(this.lab.id, { lanes, mode, ...load }));
  }

  // What is refused is said where the race tells of itself.
  async tried(act) {
    try {
      return await act();
    } catch ({ message }) {
      say(this.status, `${message[0].toUpperCase()}${message.slice(1)}.`);
      return null;
    }
  }
}
