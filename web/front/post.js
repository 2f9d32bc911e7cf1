//! One post with its comments.

import { get, remove } from './api.js';
import { Comments } from './comments.js';
import { useLoad } from './load.js';
import { Failed, Heading, Loading, When } from './parts.js';
import { html, useEffect, useRef, useState } from './preact.js';
import { go } from './route.js';
import { say } from './say.js';

/** Asks before a post is deleted, because its comments go with it. */
function Delete({ post }) {
  const dialog = useRef(null);
  const [failure, setFailure] = useState(null);
  const [isBusy, setBusy] = useState(false);
  const onDelete = async () => {
    setBusy(true);
    try {
      await remove(`/api/posts/${post.id}`);
      dialog.current.close();
      say('The post is deleted.');
      go('/mine');
    } catch (cause) {
      setFailure(cause);
      setBusy(false);
    }
  };
  return html`
    <button type="button" onClick=${() => dialog.current.showModal()}>Delete</button>
    <dialog ref=${dialog} aria-labelledby="asked">
      <h2 id="asked">Delete this post?</h2>
      <p>Its comments go with it, and nobody can bring them back.</p>
      <${Failed} failure=${failure} />
      <div class="buttons">
        <button type="button" class="danger" disabled=${isBusy} onClick=${onDelete}>Delete</button>
        <button type="button" onClick=${() => dialog.current.close()}>Keep it</button>
      </div>
    </dialog>`;
}

export function Post({ id, user }) {
  const { data: post, failure, isLoading, reload } = useLoad(
    async () => (await get(`/api/posts/${encodeURIComponent(id)}`)).body, [id]);
  useEffect(() => {
    if (post) document.title = `${post.title} · Chokepoint`;
  }, [post]);
  if (failure?.status === 404) return html`<${NoPost} />`;
  const isOwn = post && post.author.id === user?.id;
  return html`
    <article class="post">
      ${failure && html`<${Failed} failure=${failure} retry=${reload} />`}
      ${!post && isLoading && html`<${Loading} rows=${3} />`}
      ${post && html`
        <${Heading}><bdi>${post.title}</bdi><//>
        <p class="about"><span>${post.author.username}</span> <${When} at=${post.created_at} /></p>
        <p class="text" dir="auto">${post.body}</p>
        ${isOwn && html`
          <div class="buttons">
            <a class="button" href=${`#/posts/${post.id}/edit`}>Edit</a>
            <${Delete} post=${post} />
          </div>`}
        <${Comments} post=${post} user=${user} />`}
    </article>`;
}

export function NoPost() {
  return html`
    <section class="narrow">
      <${Heading}>There is no such post<//>
      <p>It may have been deleted. <a href="#/posts">All posts</a> are a step away.</p>
    </section>`;
}
