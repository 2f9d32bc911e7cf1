// The guess: two clicks before the race, and what was measured after it.

import { choices, element, one } from './dom.js';
import { named, timeText, value, unitOf } from './format.js';

// Power of ten that a size is about, as the buttons have them.
const power = (size) => Math.max(0, Math.min(3, Math.round(Math.log10(Math.max(size, 1)))));

export class Guess {
  constructor(form, { telling, variants }) {
    Object.assign(this, { form, telling, variants });
    this.revealed = one('[data-revealed]', form);
    form.addEventListener('submit', (event) => event.preventDefault());
    choices(one('[data-which]', form), (which) => { this.which = which; this.noted(); });
    choices(one('[data-size]', form), (size) => { this.size = size; this.noted(); });
  }

  noted() {
    if (this.which && this.size && !this.truth) this.revealed.textContent = 'Noted. Now race.';
    if (this.truth) this.show();
  }

  // Shows what was measured, once both lanes have ended and one of them is slow.
  reveal(race) {
    const slow = race.race.lanes.find(({ variant }) => variant === 'slow');
    const other = race.race.lanes.find((lane) => lane !== slow);
    if (!slow?.measured?.count || !other?.measured?.count) return;
    this.truth = { slow: slow.measured.counters, other: other.measured.counters, variant: other.variant };
    this.show();
  }

  show() {
    const { slow, other, variant } = this.truth;
    const each = (name) => {
      const unit = unitOf(name);
      return `${named(name)} ${value(slow[name]?.mean, unit)} in slow, ${value(other[name]?.mean, unit)} in ${variant}`;
    };
    const tell = this.telling.filter((name) => slow[name]);
    const parts = [tell.map(each).join('; ') || `no count does; the time does: ${timeText(slow.elapsed_ms?.mean)} against ${timeText(other.elapsed_ms?.mean)}`];
    if (this.which) {
      const isRight = tell.includes(this.which);
      parts.unshift(isRight ? `Right, ${named(this.which)} it is.` : `Not ${named(this.which)}.`);
      const size = isRight ? slow[this.which]?.mean : null;
      if (this.size && size != null) parts.push(Number(this.size) === power(size) ? 'The size is right too.' : 'The size is another.');
    }
    this.revealed.replaceChildren(...parts.flatMap((part) => [element('span', {}, part), ' ']));
    this.form.classList.add('known');
  }
}
