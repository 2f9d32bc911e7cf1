//! A list that comes page by page, each after the `next_cursor` of the one before.

import { get } from './api.js';
import { useLoad } from './load.js';
import { useState } from './preact.js';

/** `path` has its parameters but for the cursor. */
export function usePages(path, on) {
  const [moreFails, setMoreFails] = useState(null);
  const [isMore, setMore] = useState(false);
  const page = async (cursor) => {
    const after = cursor ? `${path.includes('?') ? '&' : '?'}cursor=${cursor}` : '';
    return (await get(`${path}${after}`)).body;
  };
  const loaded = useLoad(async () => {
    setMoreFails(null);
    return page();
  }, [path, ...on]);
  const { data, setData } = loaded;

  const more = async () => {
    setMore(true);
    try {
      const next = await page(data.next_cursor);
      setData((now) => ({ ...next, items: [...now.items, ...next.items] }));
      setMoreFails(null);
    } catch (failure) {
      setMoreFails(failure);
    } finally {
      setMore(false);
    }
  };
  const setItems = (change) => setData((now) => ({ ...now, items: change(now.items) }));
  return { ...loaded, items: data?.items, hasMore: Boolean(data?.next_cursor), more, isMore, moreFails, setItems };
}
