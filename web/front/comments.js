//! The comments of a post, oldest first, and a form for one more.

import { post as send } from './api.js';
import { counted } from './cost.js';
import { useForm } from './form.js';
import { usePages } from './pages.js';
import { Failed, Field, Send, When } from './parts.js';
import { Pages } from './posts.js';
import { html, useState } from './preact.js';
import { comeBackTo } from './route.js';

function Write({ post, written }) {
  const { field, form, failure, rest, isBusy, reset } = useForm({ body: '' }, async ({ body }) => {
    written((await send(`/api/posts/${post.id}/comments`, { body })).body);
    reset();
  });
  return html`
    <form class="comment-form" ...${form}>
      <${Field} label="Your comment" area rows="3" dir="auto" ...${field('body')} />
      <${Failed} failure=${rest} />
      <${Send} isBusy=${isBusy} failure=${failure}>Comment<//>
    </form>`;
}

/** What stands in place of the form, if anything does. */
function whyNot(post, user) {
  // The server refuses it too: labs count the comments of these posts.
  if (post.slug.startsWith('seed-')) {
    return html`<p class="note">This post came with the server and takes no comments, because labs count them.</p>`;
  }
  if (user) return null;
  const onClick = () => comeBackTo(`/posts/${post.id}`);
  return html`<p class="note"><a href="#/login" onClick=${onClick}>Log in</a> to comment.</p>`;
}

export function Comments({ post, user }) {
  const pages = usePages(`/api/posts/${post.id}/comments?limit=20`, []);
  // Those that were just written stand at the end, also while pages between are not loaded.
  const [own, setOwn] = useState([]);
  const known = new Set(pages.items?.map(({ id }) => id));
  const comments = [...(pages.items ?? []), ...own.filter(({ id }) => !known.has(id))];
  const count = Math.max(post.comments + own.length, comments.length);
  const refused = whyNot(post, user);
  return html`
    <section class="comments" aria-labelledby="comments">
      <h2 id="comments">${counted(count, 'comment')}</h2>
      <${Pages} pages=${{ ...pages, items: pages.items && comments }} empty=${null}>
        <ol>
          ${comments.map((comment) => html`
            <li key=${comment.id}>
              <p class="about"><span>${comment.author.username}</span> <${When} at=${comment.created_at} /></p>
              <p class="text" dir="auto">${comment.body}</p>
            </li>`)}
        </ol>
      <//>
      ${refused ?? html`<${Write} post=${post} written=${(comment) => setOwn((now) => [...now, comment])} />`}
    </section>`;
}
