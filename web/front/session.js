//! The session: the access token in memory, the refresh token in localStorage, where all windows find it.
//!
//! A refresh token is good once. When two windows send it at once the server refuses the second, which then
//! takes the newer one that the first has stored. Nothing here looks at a clock of the server or of the
//! browser: lifetimes are told in seconds.

import { Failure } from './failure.js';
import { send } from './request.js';
import { versioned } from './settings.js';
import { drop, keep, newerThan, stored, whenElsewhere } from './shared.js';
import { store } from './store.js';

/** Longest wait for the token of the window that was first. */
const NEWER_COMES_IN = 5_000;
/** Share of its lifetime after which an access token is renewed: not the same in each window. */
const share = () => 0.7 + Math.random() * 0.2;
/** Longest timer: browsers take one of a month for none. */
const LONGEST_TIMER = 24 * 3_600_000;

/** Who is logged in, `{ id, email }`, or null. */
export const user = store(null);
/** Why the session ended, if it was not by the visitor's own hand here. */
export const farewell = store('');

let access = null;
let renewing = null;
let timer;

/** Takes over an answer that holds tokens. */
export function begin({ access_token: token, refresh_token: refreshToken, expires_in: seconds, user_id: id, email }) {
  access = { token, id };
  keep({ refreshToken, id, email });
  clearTimeout(timer);
  timer = setTimeout(() => renew().catch(() => {}), Math.min(seconds * 1_000 * share(), LONGEST_TIMER));
  farewell.set('');
  know({ id, email });
}

function know(somebody) {
  const known = user.get();
  if (known?.id !== somebody?.id) user.set(somebody);
}

function forget(why) {
  access = null;
  clearTimeout(timer);
  farewell.set(why);
  know(null);
}

/** Ends the session here, in all windows of this browser. */
function end(why) {
  drop();
  forget(why);
}

async function exchange() {
  let sent = stored()?.refreshToken ?? null;
  while (sent) {
    try {
      const { body } = await send('POST', versioned('/auth/refresh'), { body: { refresh_token: sent } });
      const now = stored()?.refreshToken ?? null;
      // Logged out, or in as somebody else, while the answer was on its way.
      if (now !== sent) {
        sent = now;
        continue;
      }
      begin(body);
      return;
    } catch (failure) {
      if (failure.status !== 401 && failure.status !== 422) throw failure;
      const newer = await newerThan(sent, failure.justUsed ? NEWER_COMES_IN : 0);
      if (!newer) break;
      sent = newer;
    }
  }
  end(sent ? 'Your session has ended. Please log in again.' : farewell.get());
  throw new Failure(401, { detail: 'your session has ended' });
}

/** Renews the access token, once for all who ask meanwhile. */
export function renew() {
  renewing ??= exchange().finally(() => {
    renewing = null;
  });
  return renewing;
}

/** The access token, renewed first if there is none yet. Throws if nobody is logged in. */
export async function accessToken() {
  if (!access) await renew();
  return access.token;
}

/** Renews a token that was refused, unless that has been done meanwhile. */
export async function renewRefused(token) {
  if (access?.token === token) access = null;
  return accessToken();
}

export async function logOut() {
  let isOut = false;
  try {
    const token = await accessToken();
    // Here at once: nothing that is clicked meanwhile may use the session.
    end('');
    isOut = true;
    await send('POST', versioned('/auth/logout'), { token, keepalive: true });
  } catch (failure) {
    // Already ended by the server is what was wanted.
    if (failure.status === 401) return;
    if (!isOut) end('');
    if (!user.get()) farewell.set('You are logged out here. The server could not be told, so the session may live on there.');
  }
}

/** Reads what another window, or this one before a reload, has stored. */
function takeOver(why) {
  const found = stored();
  if (!found) {
    if (user.get()) forget(why);
    return;
  }
  if (access && access.id !== found.id) access = null;
  farewell.set('');
  know({ id: found.id, email: found.email });
}

whenElsewhere(() => takeOver('You were logged out in another window.'));
takeOver('');
