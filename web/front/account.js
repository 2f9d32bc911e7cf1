//! Log in and register: one screen each, on the version of the API that is chosen.

import { useForm } from './form.js';
import { Failed, Field, Heading, Send } from './parts.js';
import { html } from './preact.js';
import { send } from './request.js';
import { begin, farewell } from './session.js';
import { versioned } from './settings.js';
import { useStore } from './store.js';

export function LogIn() {
  const why = useStore(farewell);
  const { field, form, failure, rest, isBusy } = useForm({ email: '', password: '' }, async (values) => {
    const { body } = await send('POST', versioned('/auth/login'), { body: values });
    begin(body);
  });
  return html`
    <section class="narrow">
      <${Heading}>Log in<//>
      ${why && html`<p class="note" role="status">${why}</p>`}
      <form class="card" ...${form}>
        <${Field} label="E-mail address" type="email" autocomplete="username" required ...${field('email')} />
        <${Field} label="Password" type="password" autocomplete="current-password" required ...${field('password')} />
        <${Failed} failure=${rest} />
        <${Send} isBusy=${isBusy} failure=${failure}>Log in<//>
      </form>
      <p class="aside">No account yet? <a href="#/register">Create one</a>. It is on this server alone.</p>
    </section>`;
}

export function Register() {
  const { field, form, failure, rest, isBusy } = useForm({ username: '', email: '', password: '' }, async (values) => {
    const { body } = await send('POST', versioned('/auth/register'), { body: values });
    begin(body);
  });
  return html`
    <section class="narrow">
      <${Heading}>Create an account<//>
      <form class="card" ...${form}>
        <${Field} label="Username" autocomplete="nickname" autocapitalize="none" spellcheck=${false} required
          hint="3 to 50 letters, digits or underscores" ...${field('username')} />
        <${Field} label="E-mail address" type="email" autocomplete="username" required
          hint="Nothing is ever sent there" ...${field('email')} />
        <${Field} label="Password" type="password" autocomplete="new-password" required
          hint="8 characters or more" ...${field('password')} />
        <${Failed} failure=${rest} />
        <${Send} isBusy=${isBusy} failure=${failure}>Create the account<//>
      </form>
      <p class="aside">Have one already? <a href="#/login">Log in</a>.</p>
    </section>`;
}
