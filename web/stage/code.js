// Code with colours, and yours.rs as it is on disk.

import { all, element, one } from './dom.js';
import { json } from './feed.js';
import highlighter from '../vendor/@highlightjs/cdn-assets/es/core.min.js';
import rust from '../vendor/@highlightjs/cdn-assets/es/languages/rust.min.js';

highlighter.registerLanguage('rust', rust);

// highlight.js escapes what it is given.
function coloured(code) {
  if (code.dataset.coloured) return;
  code.innerHTML = highlighter.highlight(code.textContent, { language: 'rust' }).value;
  code.dataset.coloured = 'yes';
}

export function show(section, lab) {
  const diff = one('[data-diff]', section);
  const colourDiff = () => { if (diff.open) all('[data-rust]', diff).forEach(coloured); };
  diff.addEventListener('toggle', colourDiff);
  colourDiff();
  const place = one('[data-yours]', section);
  if (place) yours(place, lab);
}

async function yours(place, lab) {
  const note = one('p', place);
  const code = one('code[data-rust]', place);
  try {
    const { path, text, is_edited: isEdited, files } = await json(`/labs/${lab}/yours`);
    one('h3 code', place).textContent = path;
    note.textContent = isEdited ? 'As it is on disk now, and edited.' : 'As it is on disk now: it starts as slow does. Edit it there.';
    code.textContent = text;
    coloured(code);
    for (const file of files.filter(({ name }) => name !== 'yours.rs')) {
      place.append(element('h3', {}, element('code', {}, file.path)), element('pre', {}, element('code', {}, file.text)));
    }
  } catch (error) {
    // Outside of a checkout there is no such file.
    note.textContent = `${error.message[0].toUpperCase()}${error.message.slice(1)}.`;
    code.parentElement.remove();
  }
}
