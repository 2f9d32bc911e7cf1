//! Whether the server can be reached and can do its work. Once it is back, screens load again.

import { store } from './store.js';

const FIRST_LOOK = 1_000;
const LAST_LOOK = 5_000;

/** `up`, `offline` if nothing answers, or `unavailable` if something that the server needs is down. */
export const connection = store('up');

/** Number of times that the server came back. */
export const comebacks = store(0);

let timer;
let wait = FIRST_LOOK;

async function look() {
  clearTimeout(timer);
  if (connection.get() === 'up') return;
  let state;
  try {
    const answer = await fetch('/health/ready', { cache: 'no-store' });
    state = answer.ok ? 'up' : 'unavailable';
  } catch {
    state = 'offline';
  }
  if (connection.get() === 'up') return;
  if (state === 'up') {
    connection.set('up');
    comebacks.set(comebacks.get() + 1);
    return;
  }
  if (state !== connection.get()) connection.set(state);
  wait = Math.min(wait * 1.5, LAST_LOOK);
  timer = setTimeout(look, wait);
}

/** Notes that a request found the server so, and looks again until it is up. */
export function found(state) {
  const was = connection.get();
  if (was === state) return;
  connection.set(state);
  if (was === 'up') {
    wait = FIRST_LOOK;
    clearTimeout(timer);
    timer = setTimeout(look, wait);
  }
}

addEventListener('offline', () => found('offline'));
addEventListener('online', look);
// A window that comes to the front has waited long enough.
addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') look();
});
