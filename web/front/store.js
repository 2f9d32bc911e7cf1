//! A value that components follow, and a place that outlives a reload.

import { useLayoutEffect, useState } from './preact.js';

export function store(value) {
  const followers = new Set();
  return {
    get: () => value,
    set(next) {
      value = next;
      for (const follower of [...followers]) follower(value);
    },
    follow(follower) {
      followers.add(follower);
      return () => followers.delete(follower);
    },
  };
}

/** The value of a store. The component is drawn again when it changes. */
export function useStore(followed) {
  const [value, setValue] = useState(followed.get());
  useLayoutEffect(() => {
    // It may have changed between drawing and following.
    setValue(followed.get());
    return followed.follow(setValue);
  }, [followed]);
  return value;
}

/** What a browser without localStorage keeps: it lasts for the page. */
const inMemory = new Map();

/** Text that all windows share and a reload keeps. Without localStorage it is this window's alone. */
export const kept = {
  read(key) {
    try {
      return localStorage.getItem(key);
    } catch {
      return inMemory.get(key) ?? null;
    }
  },
  write(key, text) {
    try {
      localStorage.setItem(key, text);
    } catch {
      inMemory.set(key, text);
    }
  },
  remove(key) {
    inMemory.delete(key);
    try {
      localStorage.removeItem(key);
    } catch {
      // It was in memory only.
    }
  },
};
