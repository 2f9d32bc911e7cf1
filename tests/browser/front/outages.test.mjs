//! Nothing works for a while: no connection, a server that is gone, a database that is gone. What was written stays,
//! what was changed on the screen is taken back with a word, and all comes back by itself.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { add, fill, goTo, launch, open, register, submit, titles, until } from './browser.mjs';
import { databases, start } from '../server.mjs';

let browser;

before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const OFFLINE = 'There is no connection to the server. Looking for it';
const isShown = (page, text) => page.locator('.connection').getByText(text).waitFor();
const isGone = (page) => page.locator('.connection p').waitFor({ state: 'detached' });

/** Tries each kind of change while nothing works. `words` are what the visitor is told. */
async function changesAreTakenBack(page, words) {
  await page.getByRole('checkbox', { name: 'Bread' }).click();
  await page.getByText(`“Bread” stays as it was. ${words}`).waitFor();
  assert.equal(await page.getByRole('checkbox', { name: 'Bread' }).isChecked(), false);
  await page.getByRole('button', { name: 'Delete Milk' }).click();
  await page.getByText(`“Milk” is still there. ${words}`).waitFor();
  assert.deepEqual(await titles(page), ['Milk', 'Bread']);
  await page.fill('#title', 'Tea');
  await page.press('#title', 'Enter');
  await page.locator('.add .failed').getByText(words).waitFor();
  assert.deepEqual(await titles(page), ['Milk', 'Bread']);
  assert.equal(await page.inputValue('#title'), 'Tea');
}

test('offline and back', async () => {
  const server = await start();
  const context = await browser.newContext();
  const errors = [];
  const page = await open(context, server.app, errors);
  await register(page);
  for (const title of ['Bread', 'Milk']) await add(page, title);
  await context.setOffline(true);
  await isShown(page, OFFLINE);
  await changesAreTakenBack(page, 'There is no connection to the server.');
  await context.setOffline(false);
  await isGone(page);
  await page.press('#title', 'Enter');
  await until(() => titles(page), ['Tea', 'Milk', 'Bread']);

  // A screen that could not load does so once the connection is back.
  await context.setOffline(true);
  await goTo(page, 'posts');
  await page.locator('main .failed').getByText('There is no connection to the server.').waitFor();
  await context.setOffline(false);
  await until(() => page.locator('.posts > li').count(), 20);
  assert.deepEqual(errors, []);
  await context.close();
  await server.stop();
});

test('a server that is gone and comes back', async () => {
  let server = await start();
  const page = await open(browser, server.app);
  await register(page);
  for (const title of ['Bread', 'Milk']) await add(page, title);
  await goTo(page, 'write');
  await fill(page, { title: 'Written for an hour', body: 'All of it.' });
  await server.stop();
  await submit(page);
  await page.locator('.failed').getByText('There is no connection to the server.').waitFor();
  await isShown(page, OFFLINE);
  assert.equal(await page.inputValue('#title'), 'Written for an hour');
  server = await server.again();
  await isGone(page);
  await submit(page);
  await page.getByRole('heading', { name: 'Written for an hour' }).waitFor();
  await page.close();
  await server.stop();
});

test('the database is gone and comes back', async () => {
  const database = databases('postgres', 'start');
  const server = await start({ DATABASE_URL: database });
  const errors = [];
  const page = await open(browser, server.app, errors);
  await register(page);
  for (const title of ['Bread', 'Milk']) await add(page, title);
  databases('postgres', 'crash', database);
  await changesAreTakenBack(page, 'The server can’t do this right now: the database is not available.');
  await isShown(page, 'The server is there, but something it needs is not.');
  await goTo(page, 'posts');
  await page.locator('main .failed').getByText('The server can’t do this right now').waitFor();
  databases('postgres', 'again', database);
  await until(() => page.locator('.posts > li').count(), 20, 30_000);
  await isGone(page);
  await goTo(page, 'todos');
  await until(() => titles(page), ['Milk', 'Bread']);
  await page.getByRole('checkbox', { name: 'Bread' }).check();
  await page.reload();
  await until(() => page.getByRole('checkbox', { name: 'Bread' }).isChecked(), true);
  assert.deepEqual(errors, []);
  await page.close();
  await server.stop();
  databases('postgres', 'stop', database);
});
