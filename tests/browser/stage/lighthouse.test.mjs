//! Lighthouse on the stage and on the catalogue, the median of three: accessibility and best practices at least
//! 95, performance at least 85.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import lighthouse from 'lighthouse';
import { OPS, launch } from './browser.mjs';

const LEAST = { accessibility: 95, 'best-practices': 95, performance: 85 };
const PORT = Number(process.env.DEBUG_PORT ?? 9333);

const median = (numbers) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

for (const path of ['/', '/labs/blocking-n-plus-one?recording']) {
  test(`lighthouse on ${path}`, { timeout: 300_000 }, async () => {
    const browser = await launch(`--remote-debugging-port=${PORT}`);
    const found = {};
    try {
      for (let run = 0; run < 3; run += 1) {
        const { lhr } = await lighthouse(OPS + path, { port: PORT, logLevel: 'error', onlyCategories: Object.keys(LEAST) });
        assert.equal(lhr.runtimeError, undefined);
        for (const [category, { score }] of Object.entries(lhr.categories)) (found[category] ??= []).push(Math.round(score * 100));
      }
    } finally {
      await browser.close();
    }
    console.log(path, JSON.stringify(found));
    for (const [category, least] of Object.entries(LEAST)) assert.ok(median(found[category]) >= least, `${category}: ${found[category]}`);
  });
}
