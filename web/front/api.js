//! Requests as the visitor who is logged in.

import { send } from './request.js';
import { accessToken, renewRefused, user } from './session.js';

/** Sends a request with the access token, if somebody is logged in. A refused token is renewed once. */
export async function api(method, path, options = {}) {
  if (!user.get()) return send(method, path, options);
  const token = await accessToken();
  try {
    return await send(method, path, { ...options, token });
  } catch (failure) {
    if (failure.status !== 401) throw failure;
    return send(method, path, { ...options, token: await renewRefused(token) });
  }
}

export const get = (path, options) => api('GET', path, options);
export const post = (path, body) => api('POST', path, { body });
export const put = (path, body) => api('PUT', path, { body });
export const remove = (path) => api('DELETE', path);
