//! Who may, on a server with a token: who teaches logs in by the form, and starts a race; a phone that came by the
//! follower's link watches it, and can do nothing else.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { accessible, faultless, fits, launch, opened } from './browser.mjs';
import { start } from '../server.mjs';

const TOKEN = 'the-token-of-who-teaches';
const LAB = '/labs/n-plus-one';

let browser;
let server;
before(async () => {
  browser = await launch();
  server = await start({ OPS_TOKEN: TOKEN, WORKER_THREADS: '2' });
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

test('a token is exchanged for a session, and followers only watch', { timeout: 120_000 }, async () => {
  const view = await opened(browser, server.ops + LAB, { expected: [401, 404] });
  const { page } = view;
  assert.equal(view.answer.status(), 401);
  await fits(page, 'the form');
  await accessible(page, 'the form');
  const sent = async (token) => {
    await page.getByLabel('Token').fill(token);
    await page.getByLabel('Token').press('Enter');
  };
  await sent('a guess');
  await page.getByText('this is not the ops token').waitFor();
  await sent(TOKEN);
  await page.waitForURL(`${server.ops}/`);
  await page.context().clearCookies();
  await page.goto(server.ops + LAB);
  await sent(TOKEN);
  await page.getByRole('button', { name: 'Race', exact: true }).waitFor();
  assert.equal(page.url(), server.ops + LAB, 'it goes on to what was asked for');
  const [cookie] = await page.context().cookies();
  assert.deepEqual([cookie.httpOnly, cookie.sameSite], [true, 'Strict']);

  const address = await page.locator('[data-followers] a').getAttribute('href');
  const phone = await opened(browser, address, { width: 390, height: 844 });
  await phone.page.waitForURL(server.ops + LAB);
  await phone.page.getByText('who teaches starts the race').waitFor();
  assert.equal(await phone.page.locator('[data-start]:enabled').count(), 0);

  await page.getByRole('button', { name: 'Race', exact: true }).click();
  await phone.page.locator('[data-card="0"][data-state="running"]').waitFor();
  await phone.page.waitForFunction(() => /[1-9]/.test(document.querySelector('[data-card="0"] [data-numeral="answered"] dd').textContent));
  await fits(phone.page, 'a phone beside a race');
  const statuses = await phone.page.evaluate(async (lab) => Promise.all([
    fetch(`${lab}/race`, { method: 'DELETE' }), fetch(`${lab}/reset`, { method: 'POST' }), fetch('/follower-link'),
    fetch('/debug/pprof/profile?seconds=1'),
  ].map(async (answer) => (await answer).status)), LAB);
  assert.deepEqual(statuses, [403, 403, 403, 403]);
  assert.equal(await phone.page.locator('[data-stop]:enabled').count(), 0);
  faultless({ faults: phone.faults.filter((fault) => !fault.includes('status of 403')) });
  await phone.close();

  await page.getByRole('button', { name: 'Stop' }).click();
  await page.locator('[data-stop]:disabled').waitFor();
  await view.close();
});
