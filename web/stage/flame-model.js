// Stacks of a profile as a tree: workers merged, and runs of framework frames folded into one.

const APP = /^app-/;
const OURS = /^<?chokepoint(_product|_workshop)?::/;
const CRATES = [
  'std', 'core', 'alloc', 'tokio', 'tokio_util', 'axum', 'axum_core', 'axum_prometheus', 'hyper', 'hyper_util', 'tower',
  'tower_http', 'tower_layer', 'tower_service', 'tracing', 'tracing_core', 'tracing_opentelemetry', 'tracing_subscriber',
  'futures', 'futures_util', 'futures_core', 'pin_project_lite', 'http', 'http_body', 'http_body_util', 'matchit',
  'opentelemetry', 'opentelemetry_sdk', 'metrics', 'chokepoint_observe', 'chokepoint_server',
];
// `tokio::…`, `<alloc::…`, `<F as axum::…`, `<(A, B) as tower::…`.
const FRAMEWORK = new RegExp(`^<*(?:[^:]* as )?&?(?:mut |dyn )*(?:${CRATES.join('|')})::`);
// Parts of the product around a handler, which every request passes.
const AROUND = /^<?chokepoint_product::(edge|error)::|^<?chokepoint_workshop::lab::/;

// Frames of a leaf that stay: what a thread does at last is what a flame graph is for.
const LEAF = 2;
// Shortest run that has a frame for itself; a shorter one is left out.
const RUN = 3;

const isOurs = (frame) => OURS.test(frame) && !AROUND.test(frame);
// A name without a path is the system's.
const isFramework = (frame) => FRAMEWORK.test(frame) || AROUND.test(frame) || !frame.includes('::');

// A name without what only the compiler needs.
export const shortened = (frame) => frame
  .replace(/::\{\{closure\}\}/g, '').replace(/::\{closure[^}]*\}/g, '').replace(/::h[0-9a-f]{16}$/, '')
  .replace(/^<?chokepoint(_\w+)?::(labs::)?/, '');

function folded(frames) {
  const out = [];
  let run = [];
  const own = frames.findLastIndex((frame) => !isFramework(frame));
  const last = own < 0 ? frames.length - LEAF - 1 : own;
  const end = () => {
    if (run.length >= RUN) out.push(`${run.length} framework frames`);
    run = [];
  };
  frames.forEach((frame, place) => {
    const isLeaf = place > last && (place <= last + LEAF || place === frames.length - 1);
    if (isFramework(frame) && !isLeaf) run.push(frame);
    else {
      end();
      if (out.at(-1) !== shortened(frame)) out.push(shortened(frame));
    }
  });
  end();
  return out;
}

// 'thread;main;leaf 12' lines as [{ frames, value, ours }], of app workers alone.
export function parsed(text) {
  return text.split('\n').filter(Boolean).flatMap((line) => {
    const cut = line.lastIndexOf(' ');
    const [thread, ...frames] = line.slice(0, cut).split(';');
    if (!APP.test(thread)) return [];
    const shown = thread === 'app-folded' ? frames.map(shortened) : folded(frames);
    return [{ frames: shown, value: Number(line.slice(cut + 1)), ours: new Set(frames.filter(isOurs).map(shortened)) }];
  });
}

// The same text with the folded stacks of app workers alone, a tenth as long. What is ours stays marked.
export function foldedText(text) {
  const sums = new Map();
  parsed(text).forEach(({ frames, value, ours }) => {
    const key = ['app-folded', ...frames.map((frame) => (ours.has(frame) ? `chokepoint::${frame}` : frame))].join(';');
    sums.set(key, (sums.get(key) ?? 0) + value);
  });
  return [...sums].map(([key, value]) => `${key} ${value}\n`).join('');
}

// Tree of both sides at once: each node has a value for each.
export function tree(sides) {
  const root = { name: 'app workers', values: sides.map(() => 0), parts: new Map() };
  sides.forEach((stacks, side) => stacks.forEach(({ frames, value, ours }) => {
    root.values[side] += value;
    let node = root;
    for (const name of frames) {
      // The count of folded frames may differ between stacks that are the same otherwise.
      const key = name.endsWith(' framework frames') ? 'framework' : name;
      if (!node.parts.has(key)) node.parts.set(key, { name, isOurs: false, values: sides.map(() => 0), parts: new Map() });
      node = node.parts.get(key);
      node.values[side] += value;
      node.isOurs ||= ours.has(name);
    }
  }));
  return root;
}

// Frames in which a side spends its time: samples in each leaf, largest first.
export function leaves(stacks) {
  const found = new Map();
  stacks.forEach(({ frames, value }) => {
    // What follows the last frame that is no detail of the system.
    const leaf = frames.findLast((frame) => frame.includes('::') && !/^<?(std::sys|core::|alloc::)/.test(frame)) ?? frames.at(-1);
    if (leaf) found.set(leaf, (found.get(leaf) ?? 0) + value);
  });
  return [...found].sort((a, b) => b[1] - a[1]);
}

export const total = (stacks) => stacks.reduce((sum, { value }) => sum + value, 0);

// Samples of stacks that hold a frame.
export const holding = (stacks, name) => total(stacks.filter(({ frames }) => frames.includes(name)));
