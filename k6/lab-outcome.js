// Variant of lab.js for programs: writes the outcome as JSON to SUMMARY instead of a summary.
//
//   k6 run -e LAB=blocking-n-plus-one -e VARIANT=slow -e SUMMARY=slow.json k6/lab-outcome.js

import { fail } from 'k6';
import { outcome } from './lib/outcome.js';

export { default, options, setup } from './lab.js';

const SUMMARY = __ENV.SUMMARY || fail('say where the outcome goes with -e SUMMARY=file.json');

export function handleSummary(data) {
  return { [SUMMARY]: JSON.stringify(outcome(data), null, 2) };
}
