// Numbers as people read them.

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const one = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const two = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });

const DASH = '–';

export const count = (value) => (value == null ? DASH : whole.format(value));

// A mean of counts: whole if it is.
export const mean = (value) => (value == null ? DASH : (value >= 100 ? whole : one).format(value));

// [number, unit], so that the unit can be smaller.
export function time(ms) {
  if (ms == null) return [DASH, ''];
  if (ms >= 1000) return [two.format(ms / 1000), 's'];
  return [ms >= 100 ? whole.format(ms) : two.format(ms), 'ms'];
}

export const timeText = (ms) => time(ms).join(' ').trim();

// A value of a counter or of a threshold, by its unit.
export function value(number, unit) {
  if (number == null) return DASH;
  if (unit === 'ms') return timeText(number);
  if (unit === 'share') return `${one.format(number * 100)} %`;
  if (unit === 'bytes') return bytes(number);
  return mean(number);
}

export function bytes(number) {
  if (number >= 1e6) return `${two.format(number / 1e6)} MB`;
  return number >= 1e3 ? `${two.format(number / 1e3)} kB` : `${whole.format(number)} B`;
}

export const counted = (number, singular, plural = `${singular}s`) => `${count(number)} ${number === 1 ? singular : plural}`;

// Unit of a counter, by its name.
export function unitOf(name) {
  if (name.endsWith('_ms')) return 'ms';
  if (name.endsWith('_share')) return 'share';
  return name.endsWith('bytes') ? 'bytes' : 'count';
}

// Name of a counter for people.
export const named = (name) => name.replace(/_ms$/, '').replaceAll('_', ' ');
