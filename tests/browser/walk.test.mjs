//! The way from a red k6 run to the line of code, by clicks alone: the trace that k6 printed, its
//! repeated query, the profiles taken around it, and the blocking function in the flame graph.
//!
//! TRACE is the address that k6 printed, OPS the ops port. `.ci/checks/browser` makes both, and a profile.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from './chromium.mjs';

const { OPS, TRACE } = process.env;

let browser;

before(async () => {
  browser = await launch();
});

after(() => browser?.close());

test('from the trace that k6 printed to the function that sleeps', async () => {
  const page = await browser.newPage();
  await page.goto(TRACE);
  assert.match(await page.innerText('body'), /The same query 100 times/);
  await page.getByRole('link', { name: 'Profiles taken around that time', exact: true }).click();
  await page.getByRole('link', { name: 'flame graph', exact: true }).first().click();
  await page.waitForURL(/format=svg/);
  const picture = await page.content();
  assert.match(picture, /blocking_n_plus_one::slow::handler/);
  assert.match(picture, /std::thread::sleep/);
  await page.close();
});

test('from the page of labs to the traces of one, filtered by variant and time', async () => {
  const page = await browser.newPage();
  await page.goto(`${OPS}/`);
  await page.click('a[href="/labs/blocking-n-plus-one"]');
  await page.click('a[href="/debug/traces?lab=blocking-n-plus-one"]');
  const traced = page.getByRole('link', { name: 'GET /api/posts/v1/slow', exact: true });
  const all = await traced.count();
  assert.ok(all > 0, 'no trace of the lab');
  const between = (from, to) => `${OPS}/debug/traces?lab=blocking-n-plus-one&variant=slow&from=${from}&to=${to}`;
  const now = Date.now();
  // As a dashboard links to it: the last hour, and the hour before that.
  await page.goto(between(now - 3_600_000, now));
  assert.equal(await traced.count(), all);
  await page.goto(between(now - 7_200_000, now - 3_600_000));
  assert.equal(await traced.count(), 0);
  await page.close();
});
