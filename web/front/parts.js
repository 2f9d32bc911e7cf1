//! Parts that screens share: fields with their errors, failures in words, what is shown when nothing is there.

import { useCountdown } from './load.js';
import { html, useEffect, useRef } from './preact.js';

/** The screen's heading. It takes the focus when the screen changes, so that a screen reader begins there. */
export function Heading({ children }) {
  const heading = useRef(null);
  useEffect(() => {
    // At the first visit the focus stays where the browser has it.
    if (document.documentElement.dataset.moved) heading.current?.focus();
  }, []);
  return html`<h1 tabindex="-1" ref=${heading}>${children}</h1>`;
}

/** A labelled input, or a text area, with a hint, and its error if the server refused it. */
export function Field({ label, name, id = name, error, hint, area, ...rest }) {
  const about = [hint && !error && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ');
  const shared = {
    id,
    name,
    'aria-invalid': error ? 'true' : undefined,
    'aria-describedby': about || undefined,
    ...rest,
  };
  return html`
    <div class="field">
      <label for=${id}>${label}</label>
      ${area ? html`<textarea ...${shared}></textarea>` : html`<input ...${shared} />`}
      ${hint && !error && html`<p class="hint" id=${`${id}-hint`}>${hint}</p>`}
      ${error && html`<p class="error" id=${`${id}-error`}>${error}</p>`}
    </div>`;
}

/** A failure in words, with its wait counting down, and a way to try again. */
export function Failed({ failure, retry }) {
  const left = useCountdown(failure);
  if (!failure) return null;
  return html`
    <div class="failed" role="alert">
      <p>${failure.words}${left > 0 && html` <span class="wait" aria-live="off">${inSeconds(left)}</span>`}</p>
      ${retry && html`<button type="button" disabled=${left > 0} onClick=${retry}>Try again</button>`}
    </div>`;
}

export const inSeconds = (left) => `Try again in ${left} ${left === 1 ? 'second' : 'seconds'}.`;

/** The button that sends a form. It waits with the server, and while a request is on its way. */
export function Send({ isBusy, failure, children }) {
  const left = useCountdown(failure);
  return html`
    <button type="submit" class="primary" disabled=${isBusy || left > 0} aria-busy=${isBusy ? 'true' : undefined}>
      ${children}${left > 0 && html`<span class="wait"> in ${left} s</span>`}
    </button>`;
}

/** What stands where a list has nothing yet. */
export function Empty({ title, children }) {
  return html`
    <div class="empty">
      <svg viewBox="0 0 48 48" aria-hidden="true"><path d="M8 14h32M8 24h22M8 34h14" /><circle cx="38" cy="34" r="6" /></svg>
      <p class="title">${title}</p>
      <p>${children}</p>
    </div>`;
}

/** Room for a list that is loading, so that nothing jumps when it comes. */
export function Loading({ rows = 5 }) {
  return html`
    <div class="loading" aria-hidden="true">${Array.from({ length: rows }, () => html`<div></div>`)}</div>
    <p class="unseen" role="status">Loading</p>`;
}

const FORMAT = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' });

export function When({ at }) {
  return html`<time datetime=${at}>${FORMAT.format(new Date(at))}</time>`;
}
