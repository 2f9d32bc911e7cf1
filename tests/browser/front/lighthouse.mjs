//! Lighthouse on log-in, todos and blog: the median of three runs each. APP is the server.
//!
//! The todos need a session, so one is made in the browser's profile first, and Lighthouse keeps it.

import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import lighthouse from 'lighthouse';
import { chromium } from 'playwright-core';
import { options } from '../chromium.mjs';
import { start } from '../server.mjs';
import { add, register } from './browser.mjs';

const RUNS = 3;
const LEAST = { performance: 90, accessibility: 95, 'best-practices': 95 };

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

const server = await start();
const port = await freePort();
const profile = mkdtempSync(join(tmpdir(), 'lighthouse-'));
const context = await chromium.launchPersistentContext(profile, options(`--remote-debugging-port=${port}`));
const failed = [];
try {
  const measure = async (name, path) => {
    const scores = {};
    let notes = '';
    for (let run = 0; run < RUNS; run += 1) {
      // A window of its own, because Lighthouse opens the address anew.
      const { lhr } = await lighthouse(`${server.app}${path}`, {
        port, logLevel: 'error', output: 'json', onlyCategories: Object.keys(LEAST), disableStorageReset: true,
        // It leaves the page and comes back, and the run ends before a new refresh token has arrived. It has no weight.
        skipAudits: ['bf-cache'],
      });
      assert.equal(lhr.runtimeError, undefined);
      // Without a session the todos would have been another screen.
      assert.equal(lhr.finalDisplayedUrl, `${server.app}${path}`);
      for (const category of Object.keys(LEAST)) {
        (scores[category] ??= []).push(Math.round(lhr.categories[category].score * 100));
      }
      notes = Object.values(lhr.audits).filter(({ score, scoreDisplayMode }) => score !== null && score < 0.9 && scoreDisplayMode !== 'informative')
        .map(({ id, score }) => `${id} ${score}`).join(', ');
    }
    const medians = Object.entries(scores).map(([category, all]) => [category, median(all)]);
    console.log(`${name}: ${medians.map(([category, score]) => `${category} ${score}`).join(', ')}`);
    for (const [category, score] of medians) {
      if (score < LEAST[category]) failed.push(`${name}: ${category} ${score}, not ${LEAST[category]} (${notes})`);
    }
  };
  await measure('log-in', '/#/login');
  await measure('blog', '/#/posts');
  const page = await context.newPage();
  await page.goto(server.app);
  await register(page);
  for (const title of ['Bread', 'Milk', 'Tea']) await add(page, title);
  await page.close();
  await measure('todos', '/#/todos');
} finally {
  await context.close();
  await server.stop();
}
assert.deepEqual(failed, []);
