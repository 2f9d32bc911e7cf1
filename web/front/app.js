//! The frame of all screens, and which of them is shown.

import { LogIn, Register } from './account.js';
import { Compare } from './compare.js';
import { connection } from './connection.js';
import { EditPost, Write } from './editor.js';
import { Post } from './post.js';
import { Mine, Posts } from './posts.js';
import { html, useEffect, useLayoutEffect, useRef } from './preact.js';
import { comeBackTo, replace, route, takeWanted } from './route.js';
import { user } from './session.js';
import { useStore } from './store.js';
import { Strip } from './strip.js';
import { Todos } from './todos.js';
import { Elsewhere, Top } from './top.js';
import { Unknown, Welcome } from './welcome.js';

/** Screens by the first part of the address: their titles, and whether somebody must be logged in. */
const SCREENS = {
  '': { title: 'Welcome', show: Welcome },
  login: { title: 'Log in', show: LogIn, isForGuests: true },
  register: { title: 'Create an account', show: Register, isForGuests: true },
  todos: { title: 'Todos', show: Todos, needsUser: true },
  posts: { title: 'Posts', show: Posts },
  post: { title: 'Post', show: Post },
  edit: { title: 'Edit the post', show: EditPost, needsUser: true },
  write: { title: 'Write a post', show: Write, needsUser: true },
  mine: { title: 'My posts', show: Mine, needsUser: true },
  compare: { title: 'v1 against v2', show: Compare, needsUser: true },
};

/** Name of the screen, and the id of the post it is about. */
function screenAt([first = '', id, last]) {
  if (first === 'posts' && id) return last === 'edit' ? ['edit', id] : ['post', id];
  return [first in SCREENS && first !== 'post' && first !== 'edit' ? first : 'unknown', undefined];
}

const LOST = {
  offline: 'There is no connection to the server. Looking for it; what you wrote stays.',
  unavailable: 'The server is there, but something it needs is not. It looks again by itself.',
};

function Connection() {
  const state = useStore(connection);
  return html`<div class="connection" role="status">${state !== 'up' && html`<p>${LOST[state]}</p>`}</div>`;
}

export function App() {
  const parts = useStore(route);
  const somebody = useStore(user);
  const first = useRef(true);
  const [name, id] = screenAt(parts);
  const screen = SCREENS[name] ?? { title: 'Nothing here', show: Unknown };

  // A guest logs in first and comes back; who is logged in has their todos as the start.
  const isSentAway = somebody ? screen.isForGuests || name === '' : screen.needsUser;
  // Together with the change of the screen: later it would overrule where somebody has gone meanwhile.
  useLayoutEffect(() => {
    if (!isSentAway) return;
    if (!somebody) comeBackTo(`/${parts.join('/')}`);
    replace(somebody ? takeWanted() : '/login');
  }, [isSentAway, parts]);
  useEffect(() => {
    document.title = `${screen.title} · Chokepoint`;
    if (!first.current) {
      document.documentElement.dataset.moved = 'yes';
      scrollTo(0, 0);
    }
    first.current = false;
  }, [name, id]);

  return html`
    <${Top} at=${parts[0] ?? ''} user=${somebody} />
    <${Connection} />
    <main id="main">
      ${!isSentAway && html`<${screen.show} key=${`${name} ${id} ${somebody?.id}`} id=${id} user=${somebody} />`}
      <${Elsewhere} />
    </main>
    <${Strip} />`;
}
