// Elements, made without markup in strings: texts of the server are never read as HTML.

export const one = (selector, within = document) => within.querySelector(selector);
export const all = (selector, within = document) => [...within.querySelectorAll(selector)];

// element('a.slot', { href: '/' }, 'text', child …). Attributes that are null are left out.
export function element(what, attributes = {}, ...children) {
  const [tag, ...classes] = what.split('.');
  const made = document.createElement(tag);
  if (classes.length) made.className = classes.join(' ');
  for (const [name, value] of Object.entries(attributes)) {
    if (value != null && value !== false) made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children.filter((child) => child != null));
  return made;
}

// Replaces the content only if it differs, so that a screen reader and a selection are left in peace.
export function say(where, text) {
  if (where.textContent !== text) where.textContent = text;
}

export function table(head, rows, attributes = {}) {
  const cells = (tag, row) => row.map((cell) => (cell instanceof Node && ['TD', 'TH'].includes(cell.tagName)
    ? cell : tag === 'th' && cell ? element('th', { scope: 'col' }, cell) : element('td', {}, cell)));
  return element('table', attributes,
    element('thead', {}, element('tr', {}, ...cells('th', head))),
    element('tbody', {}, ...rows.map((row) => element('tr', {}, ...cells('td', row)))));
}

// Buttons of which one is pressed.
export function choices(within, chosen) {
  const buttons = all('button', within);
  within.addEventListener('click', ({ target }) => {
    const button = target.closest('button');
    if (!button || button.disabled) return;
    buttons.forEach((other) => other.setAttribute('aria-pressed', String(other === button)));
    chosen(button.value);
  });
}

// Colours of the style sheet as canvas understands them, until the scheme changes.
const inks = new Map();
document.addEventListener('scheme', () => inks.clear());
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => inks.clear());

export function ink(name) {
  if (!inks.has(name)) {
    const probe = element('span', { hidden: true });
    probe.style.color = `var(--${name})`;
    document.body.append(probe);
    inks.set(name, getComputedStyle(probe).color);
    probe.remove();
  }
  return inks.get(name);
}
