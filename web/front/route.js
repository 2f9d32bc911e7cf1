//! The screen that the address names, after `#`: a server can serve one page for all of them.

import { store } from './store.js';

const read = () => (location.hash.replace(/^#\/?/, '')).split('/').filter(Boolean).map((part) => {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
});

export const route = store(read());

/** Screen to show once somebody has logged in; null is their todos. */
let wanted = null;

export const comeBackTo = (path) => {
  wanted = path;
};

/** The wanted screen, once. */
export function takeWanted() {
  const path = wanted ?? '/todos';
  wanted = null;
  return path;
}

export const go = (path) => {
  location.hash = path;
};

/** Goes to another screen in place of this one, which the back button leaves out. */
export function replace(path) {
  history.replaceState(null, '', `#${path}`);
  route.set(read());
}

addEventListener('hashchange', () => route.set(read()));
