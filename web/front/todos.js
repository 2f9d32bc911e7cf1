//! The todos: a line to add one, the list, and what is left to do.

import { useForm } from './form.js';
import { Empty, Failed, Field, Heading, Loading, Send } from './parts.js';
import { html, useState } from './preact.js';
import { Todo } from './todo.js';
import { useTodos } from './todo-list.js';

const VIEWS = [
  ['all', 'All', () => true],
  ['open', 'Open', ({ completed }) => !completed],
  ['done', 'Done', ({ completed }) => completed],
];

function Add({ add }) {
  const { field, form, failure, rest, reset, setValues } = useForm({ title: '' }, async ({ title }) => {
    // The line is free for the next one while this one is on its way.
    reset();
    try {
      await add(title);
    } catch (cause) {
      setValues((now) => (now.title ? now : { title }));
      throw cause;
    }
  }, { overlaps: true });
  return html`
    <form class="add" ...${form}>
      <${Field} label="What is to be done?" autocomplete="off" dir="auto" ...${field('title')} />
      <${Send} failure=${failure}>Add<//>
      <${Failed} failure=${rest} />
    </form>`;
}

function Views({ view, setView, todos }) {
  return html`
    <fieldset class="views">
      <legend class="unseen">Which todos are shown</legend>
      ${VIEWS.map(([name, label, isShown]) => html`
        <label>
          <input type="radio" name="view" value=${name} checked=${view === name} onChange=${() => setView(name)} />
          <span>${label} <span class="number">${todos.filter(isShown).length}</span></span>
        </label>`)}
    </fieldset>`;
}

const NOTHING = {
  all: ['Nothing to do yet', 'Write the first one in the line above. The strip at the bottom then says what it cost.'],
  open: ['All done', 'Nothing is open. The ones that are done are under “Done”.'],
  done: ['Nothing done yet', 'Tick a todo off, and it is here.'],
};

export function Todos({ user }) {
  const { todos, failure, isLoading, reload, mayHaveMore, add, edit, take, more } = useTodos(user.id);
  const [view, setView] = useState('all');
  const [, , isShown] = VIEWS.find(([name]) => name === view);
  const shown = todos?.filter(isShown);
  const [title, text] = NOTHING[view];
  return html`
    <section>
      <${Heading}>Todos<//>
      <${Add} add=${add} />
      ${failure && html`<${Failed} failure=${failure} retry=${reload} />`}
      ${!todos && isLoading && html`<${Loading} />`}
      ${todos && html`
        <${Views} view=${view} setView=${setView} todos=${todos} />
        ${shown.length === 0 ? html`<${Empty} title=${title}>${text}<//>` : html`
          <ul class="todos" aria-label="Todos">
            ${shown.map((todo) => html`<${Todo} key=${todo.id} todo=${todo} edit=${edit} take=${take} />`)}
          </ul>`}
        ${mayHaveMore && html`<p class="more"><button type="button" onClick=${more}>Show older todos</button></p>`}`}
    </section>`;
}
