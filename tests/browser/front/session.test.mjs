//! Sessions: two windows, short lives, restarts, revocation, and clocks that are off. On plain http, as on a LAN.
//!
//! APP is a server that is there already, such as two instances behind nginx; else the test starts its own.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { add, goTo, launch, logIn, onLan, open, register, somebody, titles, until, watch } from './browser.mjs';
import { start } from '../server.mjs';

const KEY = 'chokepoint.session';
let browser;
let server;

before(async () => {
  browser = await launch();
  server = process.env.APP ? { app: process.env.APP, stop() {} } : await start();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const refreshToken = (page) => page.evaluate((key) => JSON.parse(localStorage.getItem(key))?.refreshToken, KEY);
const send = (path, body, token) => fetch(`${server.app}${path}`, {
  method: 'POST',
  headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
  body: JSON.stringify(body),
});

/** Lets `count` refreshes reach the server only when all of them are there. */
async function together(context, count) {
  const waiting = [];
  await context.route('**/auth/refresh', (route) => {
    waiting.push(route);
    if (waiting.length === count) for (const one of waiting) one.continue();
    if (waiting.length > count) route.continue();
  });
}

test('windows that refresh at once on plain http all stay logged in', async () => {
  const context = await browser.newContext();
  const errors = [];
  const first = await open(context, onLan(server.app), errors);
  assert.equal(await first.evaluate(() => window.isSecureContext), false);
  await register(first);
  await add(first, 'Bread');
  const others = [await open(context, onLan(server.app), errors), await open(context, onLan(server.app), errors)];
  const pages = [first, ...others];
  for (const page of pages) await until(() => titles(page), ['Bread']);
  for (let round = 0; round < 3; round += 1) {
    const seen = pages.map(watch);
    await together(context, pages.length);
    await Promise.all(pages.map((page) => page.reload()));
    for (const page of pages) await until(() => titles(page), ['Bread']);
    const refreshes = seen.flat().filter((one) => one.includes('/auth/refresh'));
    assert.ok(refreshes.filter((one) => one.endsWith(' 401')).length >= 2, `they did not collide: ${refreshes}`);
    assert.equal(seen.flat().filter((one) => one.endsWith('/todos 401')).length, 0, 'a winner was refused');
    await context.unroute('**/auth/refresh');
  }
  for (const [place, page] of pages.entries()) await add(page, `From window ${place}`);
  assert.deepEqual(errors, []);
  await context.close();
});

test('a token that is used again later ends the session, and the page says so', async () => {
  const context = await browser.newContext();
  const page = await open(context, server.app);
  await register(page);
  const copied = await refreshToken(page);
  await page.reload();
  await page.waitForSelector('#title');
  // Longer than two windows may differ.
  await new Promise((resolve) => setTimeout(resolve, 10_500));
  assert.equal((await send('/api/v2/auth/refresh', { refresh_token: copied })).status, 401);
  await page.fill('#title', 'Too late');
  await page.press('#title', 'Enter');
  await page.getByText('Your session has ended. Please log in again.').waitFor();
  assert.equal(await page.evaluate((key) => localStorage.getItem(key), KEY), null);
  await context.close();
});

test('a reload keeps the session, and a logout ends it in all windows', async () => {
  const context = await browser.newContext();
  const one = await open(context, server.app);
  const who = await register(one);
  const two = await open(context, server.app);
  await two.waitForSelector('#title');
  await one.getByRole('button', { name: 'Log out' }).click();
  await two.getByText('You were logged out in another window.').waitFor();
  // In again in one is in again in both.
  await logIn(one, who);
  await two.waitForSelector('#title');
  await context.close();
});

test('somebody else who logs in in another window takes this one over', async () => {
  const context = await browser.newContext();
  const one = await open(context, server.app);
  const ada = await register(one);
  await add(one, 'Ada’s');
  const two = await open(context, server.app);
  await two.waitForSelector('#title');
  await two.getByRole('button', { name: 'Log out' }).click();
  await two.waitForSelector('#email');
  const eve = await register(two, somebody());
  await one.getByText(eve.email).waitFor();
  await until(() => titles(one), []);
  assert.notEqual(ada.email, eve.email);
  await context.close();
});

test('a session that is revoked elsewhere ends with a word', async () => {
  const page = await open(browser, server.app);
  await register(page);
  const answer = await send('/api/v2/auth/refresh', { refresh_token: await refreshToken(page) });
  const { access_token: token } = await answer.json();
  assert.equal((await send('/api/v2/auth/logout', {}, token)).status, 204);
  await page.fill('#title', 'Too late');
  await page.press('#title', 'Enter');
  await page.getByText('Your session has ended. Please log in again.').waitFor();
  await page.close();
});

test('access tokens of two seconds are renewed before they expire', async () => {
  const short = await start({ ACCESS_TOKEN_TTL: '2s' });
  const page = await open(browser, short.app);
  await register(page);
  const seen = watch(page);
  await until(() => seen.filter((one) => one === 'POST /api/v2/auth/refresh 200').length >= 3, true);
  await add(page, 'Still here');
  assert.deepEqual(seen.filter((one) => one.endsWith(' 401')), []);
  // Where no timer runs, as in a laptop that sleeps, the refused request is sent again with a new token.
  await page.route('**/auth/refresh', async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    await route.continue().catch(() => {});
  });
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  await add(page, 'After sleep');
  assert.deepEqual((await titles(page)).slice(0, 2), ['After sleep', 'Still here']);
  await page.close();
  await short.stop();
});

test('a server that starts again with another key keeps its visitors', async () => {
  let restarted = await start();
  const page = await open(browser, restarted.app);
  await register(page);
  await add(page, 'Before');
  restarted = await restarted.again();
  await add(page, 'After');
  assert.deepEqual(await titles(page), ['After', 'Before']);
  await page.close();
  await restarted.stop();
});

for (const years of [-3, 3]) {
  test(`a browser whose clock is ${years} years off stays logged in`, async () => {
    const short = await start({ ACCESS_TOKEN_TTL: '2s' });
    const context = await browser.newContext();
    await context.addInitScript((offset) => {
      const now = Date.now.bind(Date);
      Date.now = () => now() + offset;
    }, years * 365 * 86_400_000);
    const page = await open(context, short.app);
    await register(page);
    const seen = watch(page);
    await until(() => seen.filter((one) => one === 'POST /api/v2/auth/refresh 200').length >= 2, true);
    await add(page, 'On time');
    assert.deepEqual(seen.filter((one) => one.endsWith(' 401')), []);
    await goTo(page, 'mine');
    await page.getByText('You have written nothing yet').waitFor();
    await context.close();
    await short.stop();
  });
}
