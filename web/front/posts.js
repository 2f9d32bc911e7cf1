//! The blog: all posts, newest first, and the visitor's own.

import { counted } from './cost.js';
import { usePages } from './pages.js';
import { Empty, Failed, Heading, Loading, When } from './parts.js';
import { html } from './preact.js';

export function Pages({ pages, empty, children }) {
  const { items, failure, isLoading, reload, hasMore, more, isMore, moreFails } = pages;
  return html`
    ${failure && html`<${Failed} failure=${failure} retry=${reload} />`}
    ${!items && isLoading && html`<${Loading} />`}
    ${items?.length === 0 && empty}
    ${items?.length > 0 && children}
    ${moreFails && html`<${Failed} failure=${moreFails} retry=${more} />`}
    ${hasMore && !moreFails && html`
      <p class="more"><button type="button" disabled=${isMore} onClick=${more}>${isMore ? 'Loading' : 'Show more'}</button></p>`}`;
}

function List({ posts, isOwn }) {
  return html`
    <ul class="posts">
      ${posts.map((post) => html`
        <li key=${post.id}>
          <a class="title" href=${`#/posts/${post.id}`}><bdi>${post.title}</bdi></a>
          <p class="about">
            ${!isOwn && html`<span>${post.author.username}</span>`}
            <${When} at=${post.created_at} />
            <span>${counted(post.comments, 'comment')}</span>
            ${isOwn && html`<a href=${`#/posts/${post.id}/edit`} aria-label=${`Edit ${post.title}`}>Edit</a>`}
          </p>
        </li>`)}
    </ul>`;
}

export function Posts({ user }) {
  const pages = usePages('/api/posts?limit=20', []);
  return html`
    <section>
      <div class="headed">
        <${Heading}>Posts<//>
        <p><a class="button" href="#/write">${user ? 'Write a post' : 'Log in to write'}</a></p>
      </div>
      <${Pages} pages=${pages} empty=${html`<${Empty} title="No posts yet">The first one is yours to write.<//>`}>
        <${List} posts=${pages.items} />
      <//>
    </section>`;
}

export function Mine({ user }) {
  const pages = usePages(`/api/posts?limit=20&author=${user.id}`, [user.id]);
  const empty = html`
    <${Empty} title="You have written nothing yet">
      <a href="#/write">Write your first post</a>: everybody can read it, and only you can change it.
    <//>`;
  return html`
    <section>
      <div class="headed">
        <${Heading}>My posts<//>
        <p><a class="button" href="#/write">Write a post</a></p>
      </div>
      <${Pages} pages=${pages} empty=${empty}><${List} posts=${pages.items} isOwn /><//>
    </section>`;
}
