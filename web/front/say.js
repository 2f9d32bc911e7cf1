//! Short messages about what was done or refused, shown at the edge of the screen and read aloud.

import { html, useEffect } from './preact.js';
import { store, useStore } from './store.js';

/** Long enough to read it twice. */
const SHOWN_FOR = { done: 4_000, refused: 10_000 };

const message = store(null);

/** `kind` is `done` or `refused`. */
export const say = (text, kind = 'done') => message.set({ text, kind });

export function Messages() {
  const now = useStore(message);
  useEffect(() => {
    if (!now) return undefined;
    const timer = setTimeout(() => message.set(null), SHOWN_FOR[now.kind]);
    return () => clearTimeout(timer);
  }, [now]);
  // Both regions are always there: a screen reader listens to those it knows.
  return html`
    <div class="messages">
      <div role="status">${now?.kind === 'done' && html`<p class="message">${now.text}</p>`}</div>
      <div role="alert">${now?.kind === 'refused' && html`
        <p class="message refused">${now.text}
          <button type="button" class="quiet" aria-label="Close the message" onClick=${() => message.set(null)}>×</button>
        </p>`}</div>
    </div>`;
}
