//! Records a race of each lab into web/recordings, or of those that are named. `.ci/recordings` runs it on a server of
//! its own.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { OPS, labs, launch } from './browser.mjs';

const folder = new URL('../../../web/recordings/', import.meta.url);
const chosen = process.argv.slice(2);
const browser = await launch();
for (const lab of chosen.length ? chosen : await labs()) {
  const page = await browser.newPage();
  await page.goto(`${OPS}/labs/${lab}`);
  await page.getByRole('button', { name: 'Race', exact: true }).click();
  await page.locator('[data-stop]:enabled').waitFor();
  await page.locator('[data-recording]:visible').waitFor({ timeout: 240_000 });
  const text = await page.evaluate(async (id) => (await import('/assets/stage/recording.js')).made(id), lab);
  const { race, traces } = JSON.parse(text);
  assert.equal(race.state, 'finished', lab);
  assert.ok(traces, `${lab}: no trace of both lanes`);
  writeFileSync(new URL(`${lab}.json`, folder), `${text}\n`);
  console.log(lab, text.length, race.lanes.map(({ variant, latency }) => `${variant} p95 ${latency.p95_ms.toFixed(1)} ms`).join(', '));
  await page.close();
}
await browser.close();
