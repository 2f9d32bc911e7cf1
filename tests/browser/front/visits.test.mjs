//! What a visit loads, and where it leads.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, open, register } from './browser.mjs';
import { start } from '../server.mjs';

let browser;
let server;

before(async () => {
  browser = await launch();
  server = await start();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

test('a first visit loads little, and a reload asks for the page and the data alone', async () => {
  const context = await browser.newContext();
  const page = await open(context, server.app);
  const cdp = await context.newCDPSession(page);
  await cdp.send('Network.enable');
  let requests = [];
  const sizes = new Map();
  cdp.on('Network.requestWillBeSent', ({ requestId, request }) => requests.push([requestId, request.url.replace(server.app, '')]));
  cdp.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => sizes.set(requestId, encodedDataLength));
  const cached = new Set();
  cdp.on('Network.requestServedFromCache', ({ requestId }) => cached.add(requestId));
  const loaded = async (action) => {
    requests = [];
    await action();
    await page.waitForLoadState('networkidle');
    const sent = requests.filter(([id]) => !cached.has(id));
    return { urls: sent.map(([, url]) => url), bytes: sent.reduce((sum, [id]) => sum + (sizes.get(id) ?? 0), 0) };
  };
  await cdp.send('Network.clearBrowserCache');
  const first = await loaded(() => page.goto(`${server.app}/?first`));
  console.log(`# first visit: ${first.urls.length} requests, ${first.bytes} bytes`);
  assert.ok(first.bytes < 100_000, `${first.bytes} bytes`);
  assert.ok(first.urls.every((url) => url.startsWith('/')), 'it asks another server');
  await register(page);
  const again = await loaded(() => page.reload());
  console.log(`# reload: ${again.urls.join(', ')}, ${again.bytes} bytes`);
  // Chromium loads the icon of a page by itself, and as often as it likes.
  const asked = again.urls.filter((url) => !url.endsWith('/favicon.svg'));
  assert.deepEqual(asked, ['/?first', '/api/v2/auth/refresh', '/api/v2/todos']);
  await context.close();
});

test('the page and the API’s description lead to each other', async () => {
  const page = await open(browser, server.app);
  await page.getByRole('navigation', { name: 'Behind the app' }).first().getByRole('link', { name: 'API docs' }).click();
  // Swagger UI opens links of its text in another window.
  const [back] = await Promise.all([
    page.context().waitForEvent('page'),
    page.getByRole('link', { name: 'its front end' }).click(),
  ]);
  await back.getByRole('heading', { name: 'Todos and a blog, and what each click costs' }).waitFor();
  await page.close();
});
