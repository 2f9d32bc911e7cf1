//! What a screen shows of the server: loaded, loading, or failed, and loaded again when the server is back.

import { comebacks } from './connection.js';
import { useEffect, useRef, useState } from './preact.js';
import { useStore } from './store.js';

const FIRST = { data: undefined, failure: null, isLoading: true };

/** Loads now, and again when one of `on` changes. An answer that comes after a newer question is dropped. */
export function useLoad(load, on) {
  const [state, setState] = useState(FIRST);
  const question = useRef(0);
  const changes = useRef(0);
  const comeback = useStore(comebacks);

  const reload = async () => {
    question.current += 1;
    const mine = question.current;
    setState((now) => ({ ...now, isLoading: true }));
    try {
      let data;
      let known;
      // What was changed on the screen meanwhile may be missing in the answer.
      do {
        known = changes.current;
        data = await load();
      } while (mine === question.current && known !== changes.current);
      if (mine === question.current) setState({ data, failure: null, isLoading: false });
    } catch (failure) {
      // What was there stays to be read.
      if (mine === question.current) setState((now) => ({ ...now, failure, isLoading: false }));
    }
  };

  useEffect(() => {
    reload();
    return () => {
      question.current += 1;
    };
  }, [...on, comeback]);

  const setData = (change) => {
    changes.current += 1;
    setState((now) => ({ ...now, data: change(now.data) }));
  };
  return { ...state, reload, setData };
}

/** Seconds that are left of a wait, each second less. */
export function useCountdown(failure) {
  const [left, setLeft] = useState(0);
  useEffect(() => {
    if (!failure?.retryAfter) {
      setLeft(0);
      return undefined;
    }
    const end = performance.now() + failure.retryAfter * 1_000;
    const tick = () => setLeft(Math.max(0, Math.ceil((end - performance.now()) / 1_000)));
    tick();
    const timer = setInterval(tick, 250);
    return () => clearInterval(timer);
  }, [failure]);
  return left;
}
