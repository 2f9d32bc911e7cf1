//! What a server refuses, and how a visitor learns of it: in words, at the place that it is about.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { add, fill, goTo, launch, open, register, somebody, submit, titles, until } from './browser.mjs';
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

const errorAt = (page, field) => page.locator(`#${field}-error`).textContent();

test('each field that can’t be used says what is needed', async () => {
  const errors = [];
  const page = await open(browser, server.app, errors);
  await goTo(page, 'register');
  await page.waitForSelector('#username');
  await fill(page, { username: 'a b', email: 'nobody', password: 'short' });
  await submit(page);
  await page.waitForSelector('.error');
  assert.match(await errorAt(page, 'username'), /^3 to 50 letters, digits or underscores are needed\.$/);
  assert.match(await errorAt(page, 'email'), /such as ada@example\.com is needed/);
  assert.match(await errorAt(page, 'password'), /^8 to 72 bytes are needed/);
  // The first of them has the focus, and a screen reader is told why.
  await until(() => page.evaluate(() => document.activeElement.id), 'username');
  assert.equal(await page.getAttribute('#username', 'aria-invalid'), 'true');
  assert.equal(await page.getAttribute('#username', 'aria-describedby'), 'username-error');
  assert.equal(await page.inputValue('#password'), 'short');

  await register(page);
  await page.fill('#title', '   ');
  await page.press('#title', 'Enter');
  await page.waitForSelector('#title-error');
  await add(page, 'Bread');
  await page.getByRole('button', { name: 'Edit Bread' }).click();
  await page.locator('.edit input').fill('x'.repeat(201));
  await page.locator('.edit').getByRole('button', { name: 'Save' }).click();
  await page.locator('.edit .error').getByText('1 to 200 characters').waitFor();
  await page.keyboard.press('Escape');
  await until(() => titles(page), ['Bread']);

  await goTo(page, 'write');
  await page.waitForSelector('#body');
  await submit(page);
  await page.waitForSelector('#title-error');
  assert.equal(await page.locator('.error').count(), 2);
  assert.deepEqual(errors, []);
  await page.close();
});

test('a name or an address that is taken is named at its field', async () => {
  const page = await open(browser, server.app);
  const taken = await register(page);
  await page.getByRole('button', { name: 'Log out' }).click();
  for (const field of ['username', 'email']) {
    await goTo(page, 'login');
    await page.waitForSelector('#password');
    await goTo(page, 'register');
    await page.waitForSelector('#username');
    await fill(page, { ...somebody(), [field]: taken[field] });
    await submit(page);
    await page.waitForSelector(`#${field}-error`);
    assert.match(await errorAt(page, field), /is taken\.$/);
    assert.equal(await page.locator('.error').count(), 1);
  }
  await page.close();
});

test('a wrong password is told in words', async () => {
  const page = await open(browser, server.app);
  await goTo(page, 'login');
  await page.waitForSelector('#email');
  await fill(page, { email: 'nobody@example.com', password: 'wrong horse' });
  await submit(page);
  await page.getByText('E-mail address and password do not belong together.').waitFor();
  await page.close();
});

test('another’s post is read, not changed', async () => {
  const ada = await open(await browser.newContext(), server.app);
  await register(ada);
  await goTo(ada, 'write');
  await fill(ada, { title: 'Mine', body: 'Hands off.' });
  await submit(ada);
  await ada.getByRole('heading', { name: 'Mine' }).waitFor();
  const id = new URL(ada.url()).hash.split('/').at(-1);

  const eve = await open(await browser.newContext(), server.app);
  await register(eve);
  await goTo(eve, `posts/${id}`);
  await eve.getByText('Hands off.').waitFor();
  assert.equal(await eve.locator('.post > .buttons').count(), 0);
  await goTo(eve, `posts/${id}/edit`);
  await eve.getByText('Only its author may change a post.').waitFor();
  // While she reads, the post goes.
  await goTo(eve, `posts/${id}`);
  await eve.waitForSelector('.comment-form');
  await ada.locator('.post > .buttons').getByRole('button', { name: 'Delete' }).click();
  await ada.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await ada.getByText('You have written nothing yet').waitFor();
  await fill(eve, { body: 'Where is it?' });
  await submit(eve);
  await eve.getByText('There is no post with this id.').waitFor();
  assert.equal(await eve.inputValue('#body'), 'Where is it?');
  await eve.reload();
  await eve.getByRole('heading', { name: 'There is no such post' }).waitFor();
  await ada.context().close();
  await eve.context().close();
});

test('a todo that went elsewhere goes here too, with a word', async () => {
  const context = await browser.newContext();
  const [one, two] = [await open(context, server.app), await open(context, server.app)];
  await register(one);
  await add(one, 'Bread');
  await two.reload();
  await two.getByRole('button', { name: 'Delete Bread' }).click();
  await two.getByText('“Bread” is deleted.').waitFor();
  await one.getByRole('checkbox', { name: 'Bread' }).click();
  await one.getByText('“Bread” was deleted elsewhere.').waitFor();
  await until(() => titles(one), []);
  await context.close();
});

test('too many logins are refused with a wait that counts down', async () => {
  const strict = await start({ RATE_LIMIT_LOGIN: '12/min' });
  const page = await open(browser, strict.app);
  const who = await register(page);
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.waitForSelector('#email');
  const attempt = () => fetch(`${strict.app}/api/v2/auth/login`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ email: who.email, password: 'wrong horse' }),
  });
  await until(async () => (await attempt()).status, 429);
  await fill(page, { email: who.email, password: who.password });
  await submit(page);
  await page.getByText('Too many requests in a short time.').waitFor();
  const left = async () => Number(/\d+/.exec(await page.locator('.failed .wait').textContent())?.[0]);
  const first = await left();
  assert.ok(first >= 1 && first <= 5, `${first}`);
  assert.ok(await page.locator('main button[type="submit"]').isDisabled());
  // It counts down to nothing, and then the same form goes through.
  await until(() => page.locator('main button[type="submit"]').isEnabled(), true);
  assert.equal(await page.locator('.failed .wait').count(), 0);
  await submit(page);
  await page.waitForSelector('#title');
  await page.close();
  await strict.stop();
});
