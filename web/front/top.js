//! The top of every screen: where one can go, who is logged in, and the version of the API.

import { html, useState } from './preact.js';
import { say } from './say.js';
import { logOut } from './session.js';
import { OPS, VERSIONS, choose, version } from './settings.js';
import { useStore } from './store.js';

/** v1 or v2 of accounts and todos. The blog has one API, and the switch says so. */
function Switch({ isBlog }) {
  const of = useStore(version);
  const onChange = (next) => {
    choose(next);
    say(`Accounts and todos now use ${next}.`);
  };
  return html`
    <fieldset class="switch" aria-describedby="switch-hint">
      <legend>API</legend>
      ${VERSIONS.map((name) => html`
        <label class=${name} key=${name}>
          <input type="radio" name="version" value=${name} checked=${of === name} onChange=${() => onChange(name)} />
          <span>${name}</span>
        </label>`)}
      <p id="switch-hint" class=${isBlog ? '' : 'wide-only'}>${isBlog ? 'The blog has one API' : 'for accounts and todos'}</p>
    </fieldset>`;
}

/** What lies behind the app. It stands at the top, or on a narrow screen below the content. */
export function Elsewhere() {
  return html`
    <nav class="elsewhere" aria-label="Behind the app">
      <a href="/docs">API docs</a>
      ${OPS && html`<a href=${`${OPS}/labs`}>Labs</a> <a href=${`${OPS}/debug/traces`}>Traces</a>`}
    </nav>`;
}

function Link({ to, at, children }) {
  return html`<a href=${`#/${to}`} aria-current=${at === to ? 'page' : undefined}>${children}</a>`;
}

function Account({ user }) {
  const [isBusy, setBusy] = useState(false);
  if (!user) return html`<p class="account"><a class="plain" href="#/login">Log in</a> <a class="button" href="#/register">Register</a></p>`;
  const onClick = async () => {
    setBusy(true);
    await logOut();
    setBusy(false);
    say('You are logged out.');
  };
  return html`
    <p class="account"><span class="who">${user.email}</span>
      <button type="button" class="quiet" disabled=${isBusy} onClick=${onClick}>Log out</button></p>`;
}

export function Top({ at, user }) {
  const isBlog = ['posts', 'mine', 'write'].includes(at);
  return html`
    <a class="skip" href="#main" onClick=${(event) => {
      event.preventDefault();
      document.querySelector('h1')?.focus();
    }}>Skip to the content</a>
    <header class="top">
      <div class="top-row">
        <a class="brand" href="#/">Chokepoint</a>
        <nav aria-label="Screens">
          ${user && html`<${Link} to="todos" at=${at}>Todos<//>`}
          <${Link} to="posts" at=${at}>Posts<//>
          ${user && html`<${Link} to="mine" at=${at}>My posts<//> <${Link} to="compare" at=${at}>Compare<//>`}
        </nav>
        <${Account} user=${user} />
      </div>
      <div class="top-row second">
        <${Switch} isBlog=${isBlog} />
        <${Elsewhere} />
      </div>
    </header>`;
}
