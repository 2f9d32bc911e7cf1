//! Chromium as these tests use it: quiet, and with what a page must not do noted: errors on the console,
//! exceptions, failed requests and reports of the content security policy.
//!
//! OPS is the ops port, APP the app.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

export { launch } from '../chromium.mjs';

export const { OPS, APP } = process.env;
export const WIDTHS = [360, 768, 1440, 2560];

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

// Labs of the catalogue, in teaching order.
export const labs = async () => (await (await fetch(`${OPS}/labs`)).json()).map(({ id }) => id);

// A page that notes its faults. `expected`: statuses of requests that the page itself makes and handles, such
// as 404 for a lab that was never raced; Chromium writes those to the console too.
export async function opened(browser, path, { width = 1440, height = 900, scheme = 'light', expected = [404] } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme });
  const page = await context.newPage();
  const faults = [];
  page.on('pageerror', (error) => faults.push(`exception: ${error.message}`));
  page.on('console', (message) => {
    const isExpected = expected.some((status) => message.text().includes(`status of ${status}`)) && message.location().url !== page.url();
    if (message.type() === 'error' && !isExpected) faults.push(`console: ${message.text()} (${message.location().url})`);
  });
  await page.exposeBinding('reported', ({ frame }, report) => {
    // speedscope's protobuf library tries `eval` for a module of Node's, and goes on when that is refused.
    if (report !== 'script-src eval' || !frame.url().includes('/vendor/speedscope/')) faults.push(`policy: ${report}`);
  });
  await page.addInitScript(() => document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
    window.reported(`${violatedDirective} ${blockedURI}`);
  }));
  const answer = await page.goto(new URL(path, OPS).href);
  return { page, faults, answer, close: () => context.close() };
}

export const faultless = ({ faults }, what) => assert.deepEqual(faults, [], what);

export async function fits(page, what) {
  const [needed, given] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(needed <= given, `${what}: ${needed} px wide on ${given}`);
}

// By evaluate: the policy refuses a script tag. speedscope's frame is left out, which is not ours.
export async function accessible(page, what) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => window.axe.run({ exclude: [['iframe']] }, { resultTypes: ['violations'] }));
  const said = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target, failureSummary }) => `${target} ${failureSummary}`).join(' | ')}`);
  assert.deepEqual(said, [], what);
}
