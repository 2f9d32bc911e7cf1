//! The request cost in a real browser: through the performance API, and in the network panel of its
//! developer tools, where a learner looks. Counts only, no times.
//!
//! APP is the server. With PICTURES=folder, pictures of the panel are saved there.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createServer } from 'node:net';
import { launch } from './chromium.mjs';

const APP = process.env.APP ?? 'http://127.0.0.1:8000';
const SLOW = '/api/posts/v1/slow';
const FAST = '/api/posts/v2/fast';
// Slow takes 2 s; the developer tools start in one.
const PATIENCE = { timeout: 20_000 };

let browser;
let port;

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

before(async () => {
  port = await freePort();
  // For the developer tools, which are a page that connects to this port.
  browser = await launch(`--remote-debugging-port=${port}`, `--remote-allow-origins=http://127.0.0.1:${port}`);
});

after(() => browser?.close());

// "101 queries" of { name: 'db', description: '101 queries' }
const described = (timing) => Object.fromEntries(timing.map(({ name, description }) => [name, description]));
const count = (description) => Number(/^\d+/.exec(description)?.[0]);

test('a page that the browser opens tells its budget', async () => {
  const page = await browser.newPage();
  const opened = async (path) => {
    await page.goto(`${APP}${path}`, PATIENCE);
    return described(await page.evaluate(() =>
      performance.getEntriesByType('navigation')[0].serverTiming.map((entry) => entry.toJSON())));
  };
  const slow = await opened(SLOW);
  const fast = await opened(FAST);
  assert.equal(slow.db, '101 queries');
  assert.equal(fast.db, '1 queries');
  assert.ok(count(slow.switches) >= 100, `slow: ${slow.switches}`);
  assert.ok(count(fast.switches) <= 20, `fast: ${fast.switches}`);
  await page.close();
});

test('a request that a page makes tells its budget', async () => {
  const page = await browser.newPage();
  await page.goto(`${APP}/`);
  const fetched = (path) => page.evaluate(async (path) => {
    await (await fetch(path)).arrayBuffer();
    const [entry] = performance.getEntriesByType('resource').filter(({ name }) => name.endsWith(path));
    return entry.serverTiming.map((timing) => timing.toJSON());
  }, path);
  assert.equal(described(await fetched(SLOW)).db, '101 queries');
  assert.equal(described(await fetched(FAST)).db, '1 queries');
  await page.close();
});

test('the network panel shows the queries of both', async () => {
  const page = await browser.newPage();
  await page.goto(`${APP}/`);
  const session = await page.context().newCDPSession(page);
  const { targetInfo } = await session.send('Target.getTargetInfo');
  const tools = await browser.newPage({ viewport: { width: 1000, height: 640 } });
  await tools.goto(`http://127.0.0.1:${port}/devtools/devtools_app.html?panel=network` +
    `&ws=127.0.0.1:${port}/devtools/page/${targetInfo.targetId}`);
  // Once open, it records later requests.
  await tools.getByText('Recording network activity').waitFor(PATIENCE);
  await page.evaluate(async (paths) => {
    for (const path of paths) await (await fetch(path)).arrayBuffer();
  }, [SLOW, FAST]);
  for (const [name, queries] of [['slow', '101 queries'], ['fast', '1 queries']]) {
    await tools.locator(`td.name-column[title$="/${name}"]`).click(PATIENCE);
    await tools.getByRole('tab', { name: 'Timing', exact: true }).click(PATIENCE);
    const shown = tools.locator('.server-timing-row').getByText(`db — ${queries}`, { exact: true });
    await shown.waitFor(PATIENCE);
    await shown.scrollIntoViewIfNeeded();
    if (process.env.PICTURES) {
      await tools.screenshot({ path: `${process.env.PICTURES}/network-panel-${name}.png` });
    }
  }
  await tools.close();
  await page.close();
});
