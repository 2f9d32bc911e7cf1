// Hints, one by one.

import { all, one } from './dom.js';
import { counted } from './format.js';

export function wire(place) {
  const button = one('button', place);
  const left = () => all('li[hidden]', place);
  button.addEventListener('click', () => {
    const [next] = left();
    if (next) next.hidden = false;
    const more = left().length;
    one('[data-hints-left]', place).textContent = more ? `${counted(more, 'hint')} left.` : 'That was the last one.';
    button.disabled = more === 0;
    next?.scrollIntoView({ block: 'nearest' });
  });
}
