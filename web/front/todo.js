//! One todo of the list: to be completed, edited in place, or deleted.

import { useForm } from './form.js';
import { Failed, Field } from './parts.js';
import { html, useEffect, useRef, useState } from './preact.js';

function Edit({ todo, edit, close }) {
  const start = { title: todo.title, description: todo.description ?? '' };
  const { field, form, rest, failure } = useForm(start, async ({ title, description }) => {
    const patch = { title, description: description || null };
    if (title === start.title && description === start.description) return close();
    await edit(todo, patch, { says: false });
    return close();
  });
  const names = { title: `title-${todo.id}`, description: `description-${todo.id}` };
  useEffect(() => document.getElementById(names.title)?.focus(), []);
  const onKeyDown = (event) => {
    if (event.key === 'Escape') close();
  };
  return html`
    <form class="edit" ...${form} onKeyDown=${onKeyDown}>
      <${Field} label="Title" autocomplete="off" dir="auto" ...${field('title')} id=${names.title} />
      <${Field} label="Notes" area rows="3" dir="auto" ...${field('description')} id=${names.description} />
      <${Failed} failure=${rest} />
      <div class="buttons">
        <button type="submit" class="primary">${failure ? 'Save again' : 'Save'}</button>
        <button type="button" onClick=${close}>Cancel</button>
      </div>
    </form>`;
}

const Icon = ({ shape }) => html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d=${shape} /></svg>`;

export function Todo({ todo, edit, take }) {
  const [isEdited, setEdited] = useState(false);
  const open = useRef(null);
  const close = () => {
    setEdited(false);
    // Back to where the editing began.
    requestAnimationFrame(() => open.current?.focus());
  };
  const { title, description, completed, isDraft } = todo;
  // The item's neighbour takes the focus, which would be lost with it.
  const onTake = ({ currentTarget }) => {
    const item = currentTarget.closest('li');
    const next = item.nextElementSibling ?? item.previousElementSibling;
    const target = next?.querySelector('input') ?? document.getElementById('title');
    take(todo);
    target?.focus();
  };
  if (isEdited) return html`<li class="todo"><${Edit} todo=${todo} edit=${edit} close=${close} /></li>`;
  return html`
    <li class=${`todo${completed ? ' done' : ''}${isDraft ? ' draft' : ''}`}>
      <label class="tick">
        <input type="checkbox" checked=${completed} disabled=${isDraft}
          onChange=${({ currentTarget }) => edit(todo, { completed: currentTarget.checked })} />
        <bdi class="title">${title}</bdi>
      </label>
      <div class="buttons">
        <button type="button" class="quiet" ref=${open} disabled=${isDraft} title="Edit" aria-label=${`Edit ${title}`}
          onClick=${() => setEdited(true)}><${Icon} shape="M3 13l.7-3L11 2.7l2.3 2.3L6 12.3z" /></button>
        <button type="button" class="quiet" disabled=${isDraft} title="Delete" aria-label=${`Delete ${title}`} onClick=${onTake}>
          <${Icon} shape="M2.5 4.5h11M6 4.5V2.8h4v1.7M4 4.5l.6 9h6.8l.6-9M6.7 7v4M9.3 7v4" /></button>
      </div>
      ${description && html`<p class="notes" dir="auto">${description}</p>`}
    </li>`;
}
