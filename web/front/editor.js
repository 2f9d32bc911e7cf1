//! A post that is written, or changed by its author.

import { get, post as create, put } from './api.js';
import { useForm } from './form.js';
import { useLoad } from './load.js';
import { Failed, Field, Heading, Loading, Send } from './parts.js';
import { NoPost } from './post.js';
import { html } from './preact.js';
import { go } from './route.js';
import { say } from './say.js';

function Editor({ title, start, save, saved, label, back }) {
  const { field, form, failure, rest, isBusy } = useForm(start, async (values) => {
    const { body } = await save(values);
    say(saved);
    go(`/posts/${body.id}`);
  });
  return html`
    <section class="wide">
      <${Heading}>${title}<//>
      <form class="card" ...${form}>
        <${Field} label="Title" autocomplete="off" dir="auto" ...${field('title')} />
        <${Field} label="Text" area rows="12" dir="auto" hint="Shown as it is written, line by line" ...${field('body')} />
        <${Failed} failure=${rest} />
        <div class="buttons">
          <${Send} isBusy=${isBusy} failure=${failure}>${label}<//>
          <a class="button" href=${back}>Cancel</a>
        </div>
      </form>
    </section>`;
}

export function Write() {
  return html`<${Editor} title="Write a post" start=${{ title: '', body: '' }} label="Publish" back="#/posts"
    saved="The post is published." save=${(values) => create('/api/posts', values)} />`;
}

export function EditPost({ id, user }) {
  const path = `/api/posts/${encodeURIComponent(id)}`;
  const { data: post, failure, isLoading, reload } = useLoad(async () => (await get(path)).body, [id]);
  if (failure?.status === 404) return html`<${NoPost} />`;
  if (failure) return html`<${Failed} failure=${failure} retry=${reload} />`;
  if (!post && isLoading) return html`<${Loading} rows=${3} />`;
  if (post.author.id !== user.id) {
    return html`
      <section class="narrow">
        <${Heading}>This post is ${post.author.username}’s<//>
        <p>Only its author may change a post. <a href=${`#/posts/${post.id}`}>Read it</a> instead.</p>
      </section>`;
  }
  return html`<${Editor} title="Edit the post" start=${{ title: post.title, body: post.body }} label="Save"
    back=${`#/posts/${post.id}`} saved="The post is saved." save=${(values) => put(path, values)} />`;
}
