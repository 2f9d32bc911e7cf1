//! What all windows of a browser share of a session: the refresh token, and whose it is.

import { kept } from './store.js';

const KEY = 'chokepoint.session';
const LOOK_EACH = 100;

/** `{ refreshToken, id, email }`, or null if nobody is logged in. */
export const stored = () => {
  try {
    return JSON.parse(kept.read(KEY) ?? 'null');
  } catch {
    return null;
  }
};

export const keep = (session) => kept.write(KEY, JSON.stringify(session));
export const drop = () => kept.remove(KEY);

/** Refresh token that another window has stored instead of this one; null if none comes in time. */
export async function newerThan(sent, patience) {
  const until = performance.now() + patience;
  for (;;) {
    const now = stored()?.refreshToken ?? null;
    if (now !== sent) return now;
    if (performance.now() >= until) return null;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EACH));
  }
}

/** Calls `then` when another window logs in or out, or renews. */
export const whenElsewhere = (then) => addEventListener('storage', ({ key }) => {
  if (key === KEY || key === null) then();
});
