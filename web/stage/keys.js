// Keys: each clicks what carries it; `?` shows them, `p` is the projector.

import { one } from './dom.js';

const root = document.documentElement;

// The race alone, and large. The chart is told, because its letters are part of it.
export function projector(isOn = root.dataset.projector !== 'on') {
  if (isOn) root.dataset.projector = 'on';
  else delete root.dataset.projector;
  document.dispatchEvent(new CustomEvent('scheme'));
}

// Keys belong to a field that takes text, and to a dialog.
const isTaken = (target) => target.closest?.('textarea, select, input:not([type=radio]):not([type=range])');

export function wire() {
  const dialog = one('#keys');
  one('[data-open=keys]').addEventListener('click', () => dialog.showModal());
  one('[data-open=projector]').addEventListener('click', () => projector());
  document.addEventListener('keydown', (event) => {
    const { key, target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || isTaken(target) || one('dialog[open]')) return;
    if (key === '?') dialog.showModal();
    else if (key === 'p') projector();
    else if (key === 'Escape' && root.dataset.projector === 'on') projector(false);
    else if (key === ' ' && target.closest?.('button, summary, a, input')) return;
    else {
      const wanted = one(`[data-key="${CSS.escape(key)}"]`);
      if (!wanted || wanted.disabled) return;
      wanted.click();
      if (key === 'd') wanted.scrollIntoView({ block: 'start' });
    }
    event.preventDefault();
  });
}
