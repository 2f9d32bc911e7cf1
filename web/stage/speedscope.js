// speedscope in a frame of this page: only its own files may be framed, and only here.

import { element, one } from './dom.js';

const PAGE = '/assets/vendor/speedscope/dist/release/index.html';

const address = (capture, name) => `${PAGE}#profileURL=${encodeURIComponent(`/debug/pprof/captures/${capture}`)}&title=${encodeURIComponent(name)}`;

// A button that opens a kept profile.
export function opener(capture, name) {
  const button = element('button.link', { type: 'button' }, 'open in speedscope');
  button.addEventListener('click', () => {
    const dialog = one('[data-speedscope]');
    const src = address(capture, name);
    one('a', dialog).href = src;
    one('[data-frame]', dialog).replaceChildren(element('iframe', { src, title: `speedscope: ${name}` }));
    dialog.showModal();
  });
  return button;
}
