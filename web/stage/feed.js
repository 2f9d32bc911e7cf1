// Requests to the server about races: the events of the running one, and what starts and stops it.

export class Refused extends Error {
  constructor(status, problem) {
    const fields = (problem.errors ?? []).map(({ field, message }) => `${field}: ${message}`);
    super([problem.detail ?? `the server answered ${status}`, ...fields].join('; '));
    this.status = status;
  }
}

async function asked(path, options) {
  const answer = await fetch(path, options);
  if (answer.ok) return answer;
  throw new Refused(answer.status, await answer.json().catch(() => ({})));
}

export const text = async (path) => (await asked(path)).text();
export const json = async (path) => (await asked(path)).json();

// The last race of a lab, or the running one; null if there was none, or if this server has no races.
export async function last(lab) {
  try {
    return await json(`/labs/${lab}/race`);
  } catch (error) {
    if (error.status === 404) return null;
    throw error;
  }
}

export const start = async (lab, wanted) => (await asked(`/labs/${lab}/race`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(wanted),
})).json();

export const stop = (lab) => asked(`/labs/${lab}/race`, { method: 'DELETE' });

// What this browser may do: { access: "full", "read" or "none", needs_token }.
export const session = () => json('/session');

// Address under which a phone in the room may watch; null where no token is needed, so that nobody is kept out.
export async function followers(page) {
  const { access, needs_token: needsToken } = await session();
  if (access !== 'full' || !needsToken) return null;
  return `${(await json('/follower-link')).url}&next=${encodeURIComponent(page)}`;
}

// Events by name. EventSource connects again by itself, and the server then sends all of the running race.
export function follow(lab, on) {
  const source = new EventSource(`/labs/${lab}/race/events`);
  for (const [name, handle] of Object.entries(on)) {
    source.addEventListener(name, (event) => handle(JSON.parse(event.data)));
  }
  return source;
}
