//! The todos of the visitor: changed on the screen at once, and taken back with a word if the server refuses.

import { get, post, put, remove } from './api.js';
import { useLoad } from './load.js';
import { say } from './say.js';
import { version, versioned } from './settings.js';
import { useStore } from './store.js';

/** Most todos of one answer, and the bytes from which on an answer may have been cut. */
const MOST = 500;
const NEAR_1_MIB = 900_000;

const path = (id) => versioned(`/todos/${encodeURIComponent(id)}`);
const quoted = ({ title }) => `“${title.length > 40 ? `${title.slice(0, 39)}…` : title}”`;

let drafts = 0;

export function useTodos(userId) {
  const of = useStore(version);
  const loaded = useLoad(async () => {
    const { body, bytes } = await get(versioned('/todos'));
    return { todos: body, mayHaveMore: body.length >= MOST || bytes > NEAR_1_MIB };
  }, [of, userId]);
  const { data, setData } = loaded;
  const change = (edit) => setData((now) => ({ ...now, todos: edit(now?.todos ?? []) }));
  const replace = (id, next) => change((todos) => todos.map((todo) => (todo.id === id ? next(todo) : todo)));

  /** Throws if it is refused: the form has the text, and shows why. */
  const add = async (title) => {
    drafts += 1;
    const id = `draft-${drafts}`;
    change((todos) => [{ id, title, description: null, completed: false, isDraft: true }, ...todos]);
    try {
      const { body } = await post(versioned('/todos'), { title });
      // A list that was loaded meanwhile has no draft, and the new todo or not.
      change((todos) => {
        const place = todos.findIndex((todo) => todo.id === id);
        const rest = todos.filter((todo) => todo.id !== id && todo.id !== body.id);
        return [...rest.slice(0, Math.max(place, 0)), body, ...rest.slice(Math.max(place, 0))];
      });
    } catch (failure) {
      change((todos) => todos.filter((todo) => todo.id !== id));
      throw failure;
    }
  };

  /** Changes some fields. Throws if it is refused and `says` is false; else it says so. */
  const edit = async (todo, patch, { says = true } = {}) => {
    const before = Object.fromEntries(Object.keys(patch).map((name) => [name, todo[name]]));
    replace(todo.id, (now) => ({ ...now, ...patch }));
    try {
      const { body } = await put(path(todo.id), patch);
      replace(todo.id, () => body);
    } catch (failure) {
      if (failure.status === 404) {
        change((todos) => todos.filter(({ id }) => id !== todo.id));
        say(`${quoted(todo)} was deleted elsewhere.`, 'refused');
        return;
      }
      replace(todo.id, (now) => ({ ...now, ...before }));
      if (!says) throw failure;
      say(`${quoted(todo)} stays as it was. ${failure.words}`, 'refused');
    }
  };

  const take = async (todo) => {
    const place = data.todos.findIndex(({ id }) => id === todo.id);
    change((todos) => todos.filter(({ id }) => id !== todo.id));
    try {
      await remove(path(todo.id));
      change((todos) => todos.filter(({ id }) => id !== todo.id));
      say(`${quoted(todo)} is deleted.`);
    } catch (failure) {
      // Gone already is what was wanted.
      if (failure.status === 404) return;
      change((todos) => [...todos.slice(0, place), todo, ...todos.slice(place)]);
      say(`${quoted(todo)} is still there. ${failure.words}`, 'refused');
    }
  };

  /** Loads the part after the last one. Only an empty part is the end. */
  const more = async () => {
    const last = data.todos.findLast(({ isDraft }) => !isDraft);
    try {
      const { body } = await get(`${versioned('/todos')}?cursor=${last.id}`);
      setData(({ todos }) => {
        const known = new Set(todos.map(({ id }) => id));
        return { todos: [...todos, ...body.filter(({ id }) => !known.has(id))], mayHaveMore: body.length > 0 };
      });
      if (body.length === 0) say('These are all your todos.');
    } catch (failure) {
      say(`Older todos could not be loaded. ${failure.words}`, 'refused');
    }
  };

  return { ...loaded, todos: data?.todos, mayHaveMore: data?.mayHaveMore, add, edit, take, more };
}
