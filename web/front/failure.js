//! What went wrong with a request, in words for the person who sees it.

/** Statuses of a server, or of a proxy before it, that can't serve now and may later. */
const UNAVAILABLE = [502, 503, 504];

const sentence = (text) => {
  const trimmed = text.trim();
  const start = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.!?…]$/.test(start) ? start : `${start}.`;
};

export class Failure extends Error {
  /** `problem` is the answer's body as RFC 9457 has it; empty if something else answered. */
  constructor(status, problem = {}, headers = new Headers()) {
    super(problem.detail ?? `status ${status}`);
    this.status = status;
    this.detail = problem.detail ?? '';
    this.requestId = problem.request_id ?? headers.get('x-request-id');
    this.fields = Object.fromEntries((problem.errors ?? []).map(({ field, message }) => [field, sentence(message)]));
    // Retry-After is in seconds here; a date would be NaN, which is no wait.
    this.retryAfter = Number(headers.get('retry-after')) || 0;
    this.justUsed = (headers.get('www-authenticate') ?? '').includes('just used');
  }

  get isOffline() {
    return this.status === 0;
  }

  get isUnavailable() {
    return UNAVAILABLE.includes(this.status);
  }

  /** True if the same request may go well later, without a change. */
  get isPassing() {
    return this.isOffline || this.isUnavailable || this.status === 429;
  }

  get words() {
    if (this.isOffline) return 'There is no connection to the server.';
    if (this.isUnavailable) {
      return this.detail ? `The server can’t do this right now: ${this.detail}.` : 'The server can’t do this right now.';
    }
    switch (this.status) {
      case 422: return 'Some of it can’t be used; the fields say what is needed.';
      case 429: return 'Too many requests in a short time.';
      case 500: return `The server failed. It logged why, under request ${this.requestId}.`;
      default: return this.detail ? sentence(this.detail) : `The server answered with status ${this.status}.`;
    }
  }
}

/** A conflict as an error of the field that it is about. */
export function conflictAtField(failure, fields) {
  if (failure.status !== 409) return failure;
  const field = fields.find((name) => failure.detail.includes(name === 'email' ? 'e-mail' : name));
  if (field) failure.fields[field] = failure.words;
  return failure;
}
