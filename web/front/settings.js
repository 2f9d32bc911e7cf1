//! The version of the API that is in use, and where ops is.

import { kept, store } from './store.js';

const KEY = 'chokepoint.version';

export const VERSIONS = ['v1', 'v2'];

/** Version that accounts and todos use. The blog has one API. */
export const version = store(kept.read(KEY) === 'v1' ? 'v1' : 'v2');

export function choose(next) {
  kept.write(KEY, next);
  version.set(next);
}

/** Path of an endpoint that has two versions. */
export const versioned = (path, of = version.get()) => `/api/${of}${path}`;

const meta = (name) => document.querySelector(`meta[name="${name}"]`);
const isLocal = (host) => host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host);

/** Address of ops for this visitor, without a slash at its end; null if none leads there. */
export const OPS = (() => {
  const url = meta('ops-url')?.content;
  if (url) return url;
  const port = meta('ops-port');
  // Ops on loopback answers the browser of its own machine only.
  if (!port || ('local' in port.dataset && !isLocal(location.hostname))) return null;
  return `http://${location.hostname}:${port.content}`;
})();
