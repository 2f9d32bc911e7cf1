//! What people write: shown as they wrote it, whatever it is, and however much of it there is.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { add, fill, goTo, launch, logIn, open, register, submit, titles, until } from './browser.mjs';
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

const NAUGHTY = [
  '<script>alert(1)</script>', '<img src=x onerror=alert(1)>', '"><svg onload=alert(1)>', '</title><h1>x</h1>',
  'javascript:alert(1)', '${7*7} {{7*7}} <%= 7*7 %>', '&lt;b&gt; &amp; &#x41;', '‮override‬ the order',
  'Z̸̡͝a̵l̶g̷o̸', '👩‍👩‍👧‍👦 🏴󠁧󠁢󠁥󠁮󠁧󠁿', 'مرحبا بالعالم', 'null', 'undefined', '[object Object]', '0', '__proto__', '%s %n %00',
  `' OR 1=1 --`, '\\u0000 \\n', 'x'.repeat(200), '字'.repeat(200), '#/login', 'a\u00a0b\u200bc',
];

test('titles and texts of any kind are shown as they were written', async () => {
  const errors = [];
  const page = await open(browser, server.app, errors);
  await register(page);
  for (const title of NAUGHTY) await add(page, title);
  assert.deepEqual(await titles(page), [...NAUGHTY].reverse());
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
  await page.setViewportSize({ width: 320, height: 640 });
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
  for (const text of [NAUGHTY[1], NAUGHTY[7], NAUGHTY[20]]) {
    await goTo(page, 'write');
    await page.waitForSelector('#body');
    await fill(page, { title: text, body: `${text}\n${text}` });
    await submit(page);
    await page.waitForSelector('.comment-form');
    await fill(page, { body: text });
    await submit(page);
    await page.waitForSelector('.comments li');
    assert.equal(await page.locator('h1').textContent(), text);
    assert.equal(await page.locator('.post > .text').textContent(), `${text}\n${text}`);
    assert.equal(await page.locator('.comments li .text').textContent(), text);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, text);
  }
  assert.equal(await page.locator('#app script, #app img').count(), 0);
  assert.deepEqual(errors, []);
  await page.close();
});

test('five hundred todos are shown, and the older ones on demand', async () => {
  const page = await open(browser, server.app);
  const who = await register(page);
  const { access_token: token } = await (await fetch(`${server.app}/api/v2/auth/login`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ email: who.email, password: who.password }),
  })).json();
  for (let n = 1; n <= 505; n += 1) {
    const answer = await fetch(`${server.app}/api/v2/todos`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ title: `Todo ${n}` }),
    });
    assert.equal(answer.status, 201);
  }
  await page.reload();
  await until(() => page.locator('.todo').count(), 500);
  await page.getByRole('button', { name: 'Show older todos' }).click();
  await until(() => page.locator('.todo').count(), 505);
  await page.getByRole('button', { name: 'Show older todos' }).click();
  await page.getByText('These are all your todos.').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Show older todos' }).count(), 0);
  await page.locator('.todo').last().getByRole('checkbox').check();
  await page.locator('.views').getByText('Done').click();
  await until(() => titles(page), ['Todo 1']);
  await page.getByRole('button', { name: 'Log out' }).click();
  await logIn(page, who);
  await until(() => page.locator('.todo').count(), 500);
  await page.close();
});
