//! The first visit: what this is, and where to begin.

import { Heading } from './parts.js';
import { html } from './preact.js';

const PARTS = [
  ['Todos', 'Yours alone, quick to add and to tick off. Switch between v1 and v2 of the API under the same list.'],
  ['A blog', 'Posts and comments that everybody can read. Write your own, and change them later.'],
  ['What it costs', 'Below every screen: milliseconds, queries, cache and queue of your last click, with its trace.'],
];

/** Twenty bars as an ornament, not a measurement: they have no numbers. */
function Ornament() {
  const height = (place) => 18 + 62 * Math.abs(Math.sin(place * 1.7)) ** (place % 2 ? 3 : 1);
  return html`
    <svg class="bars ornament" viewBox="0 0 200 84" aria-hidden="true">
      ${Array.from({ length: 20 }, (_, place) => html`
        <rect class=${`bar ${place % 2 ? 'v2' : 'v1'}`} x=${place * 10 + 2} y=${84 - height(place) / (place % 2 ? 3 : 1)} width="6"
          height=${height(place)} />`)}
    </svg>`;
}

export function Welcome() {
  return html`
    <section class="welcome">
      <${Ornament} />
      <${Heading}>Todos and a blog, and what each click costs<//>
      <p class="lead">An everyday app on a server that keeps nothing to itself. Use it as you would any other, and watch
        the strip at the bottom.</p>
      <p class="buttons">
        <a class="button primary" href="#/register">Create an account</a>
        <a class="button" href="#/login">Log in</a>
        <a class="button" href="#/posts">Read the posts</a>
      </p>
      <ul class="parts">
        ${PARTS.map(([title, text]) => html`<li key=${title}><h2>${title}</h2><p>${text}</p></li>`)}
      </ul>
    </section>`;
}

export function Unknown() {
  return html`
    <section class="narrow">
      <${Heading}>Nothing is here<//>
      <p>The address names no screen. <a href="#/">Begin at the start</a>.</p>
    </section>`;
}
