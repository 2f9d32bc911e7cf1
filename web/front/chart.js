//! Requests as bars, in the colours of their versions. v2 is hollow, so that nobody needs the colours.

import { inMillis } from './cost.js';
import { html } from './preact.js';

const WIDTH = 10;
const HEIGHT = 40;

/** Bars of these costs, with room for `room` of them. A bar of `most` milliseconds has the whole height. The square
 * root keeps short ones to be seen beside long ones; `isLinear` is for those that are compared. */
export function Bars({ bars, room, label, isLinear = false, most = Math.max(...bars.map(({ total }) => total), 0) }) {
  const share = (total) => (most > 0 ? total / most : 0);
  const height = (total) => Math.max(2, (isLinear ? share(total) : Math.sqrt(share(total))) * (HEIGHT - 2));
  const first = room - bars.length;
  return html`
    <svg class="bars" viewBox=${`0 0 ${room * WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label=${label}>
      <path class="ground" d=${`M0 ${HEIGHT - 0.5}H${room * WIDTH}`} />
      ${bars.map((bar, place) => html`
        <rect class=${`bar ${bar.version}`} key=${bar.number} x=${(first + place) * WIDTH + 2} width=${WIDTH - 4}
          y=${HEIGHT - height(bar.total)} height=${height(bar.total)}>
          <title>${`${bar.method} ${bar.path}: ${inMillis(bar.total)}`}</title>
        </rect>`)}
    </svg>`;
}
