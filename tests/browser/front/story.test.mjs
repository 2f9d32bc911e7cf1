//! The whole story of a visitor, on v1 and on v2: account, todos, posts, comments, and what each click costs.
//!
//! APP is a server that is there already, such as two instances behind nginx; else the test starts its own.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { add, choose, fill, goTo, launch, logIn, open, register, submit, titles, until, watch } from './browser.mjs';
import { start } from '../server.mjs';

let browser;
let server;
let app = process.env.APP;

before(async () => {
  browser = await launch();
  if (!app) {
    server = await start();
    app = server.app;
  }
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const ofTodo = (page, title) => page.locator('.todo').filter({ hasText: title });
const said = (page, text) => page.locator('.message').getByText(text).waitFor();
const numbers = async (page) => Object.fromEntries(await page.locator('.numbers > div').evaluateAll((all) =>
  all.map((one) => [one.querySelector('dt').textContent, one.querySelector('dd').textContent])));

for (const version of ['v1', 'v2']) {
  test(`somebody lives with todos and a blog on ${version}`, async () => {
    const errors = [];
    const page = await open(browser, app, errors);
    await page.getByRole('heading', { name: 'Todos and a blog, and what each click costs' }).waitFor();
    const asked = watch(page);
    await choose(page, version);
    const who = await register(page);

    // Todos.
    await page.getByText('Nothing to do yet').waitFor();
    for (const title of ['Bread', 'Milk', 'Tea']) await add(page, title);
    assert.deepEqual(await titles(page), ['Tea', 'Milk', 'Bread']);
    await ofTodo(page, 'Milk').getByRole('checkbox').check();
    await ofTodo(page, 'Bread').getByRole('button', { name: 'Edit' }).click();
    await page.locator('.edit input').fill('Rye bread');
    await page.locator('.edit textarea').fill('Two loaves');
    await page.locator('.edit').getByRole('button', { name: 'Save' }).click();
    await ofTodo(page, 'Rye bread').getByText('Two loaves').waitFor();
    await ofTodo(page, 'Tea').getByRole('button', { name: 'Delete' }).click();
    await said(page, '“Tea” is deleted.');
    await page.reload();
    await until(() => titles(page), ['Milk', 'Rye bread']);
    assert.ok(await ofTodo(page, 'Milk').getByRole('checkbox').isChecked());
    await page.locator('.views').getByText('Open').click();
    await until(() => titles(page), ['Rye bread']);

    // All of it was on this version.
    const versions = asked.map((one) => /\/api\/(v\d)\//.exec(one)?.[1]).filter(Boolean);
    assert.deepEqual([...new Set(versions)], [version]);

    // The blog.
    await page.getByRole('link', { name: 'Posts', exact: true }).click();
    await page.getByText('The blog has one API').waitFor();
    await until(() => page.locator('.posts > li').count(), 20);
    await page.getByRole('button', { name: 'Show more' }).click();
    await until(() => page.locator('.posts > li').count(), 40);
    await page.getByRole('link', { name: 'Write a post' }).click();
    await fill(page, { title: 'Why p99 lies', body: 'It does not.\n\nReally.' });
    await submit(page);
    await page.getByRole('heading', { name: 'Why p99 lies' }).waitFor();
    await fill(page, { body: 'It does!' });
    await submit(page);
    await page.getByText('1 comment', { exact: true }).waitFor();
    await page.locator('.comments li').getByText('It does!').waitFor();
    await page.getByRole('link', { name: 'Edit' }).click();
    await page.waitForSelector('#title');
    assert.equal(await page.inputValue('#body'), 'It does not.\n\nReally.');
    await fill(page, { title: 'Why p99 helps' });
    await submit(page);
    await page.getByRole('heading', { name: 'Why p99 helps' }).waitFor();
    await page.getByRole('link', { name: 'My posts' }).click();
    await until(() => page.locator('.posts .title').allTextContents(), ['Why p99 helps']);
    await page.getByRole('link', { name: 'Why p99 helps', exact: true }).click();
    await page.locator('.post > .buttons').getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByText('You have written nothing yet').waitFor();

    // Out, and in again.
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    assert.equal(await page.evaluate(() => localStorage.getItem('chokepoint.session')), null);
    await logIn(page, who);
    await goTo(page, 'todos');
    await until(() => titles(page), ['Milk', 'Rye bread']);
    assert.deepEqual(errors, []);
    await page.close();
  });
}

test('the strip tells what the server says, and leads to the trace', async () => {
  const errors = [];
  const page = await open(browser, app, errors);
  await choose(page, 'v1');
  await register(page);
  const answer = page.waitForResponse((one) => one.request().method() === 'POST' && one.url().endsWith('/v1/todos'));
  await add(page, 'Measure');
  const headers = (await answer).headers();
  const timing = headers['server-timing'];
  await page.locator('.what').getByText('POST /todos').waitFor();
  const shown = await numbers(page);
  assert.equal(Number.parseFloat(shown.Time).toFixed(1), Number(/total;dur=([\d.]+)/.exec(timing)[1]).toFixed(1));
  assert.equal(shown.Queries, /db;.*?desc="(\d+)/.exec(timing)[1]);
  assert.match(shown.Queue, /ms$/);
  await page.reload();
  await page.locator('.what').getByText('GET /todos').waitFor();
  assert.match((await numbers(page)).Cache, /^(hit|miss)/);
  const link = await page.locator('.numbers a').getAttribute('href');
  const trace = await fetch(link, { headers: { accept: 'text/html' } });
  assert.equal(trace.status, 200, link);
  assert.match(await trace.text(), /\/api\/v1\/todos/);

  // The table has all of them, each with its version.
  await page.getByRole('button', { name: 'The last 20 requests' }).click();
  assert.ok(await page.locator('.strip tbody tr').count() >= 2);
  assert.equal(await page.locator('.strip .bar.v1').count(), await page.locator('.strip tbody .tag.v1').count());
  assert.deepEqual(errors, []);
  await page.close();
});

test('each trace is found at the instance that answered', async () => {
  const page = await open(browser, app);
  await register(page);
  const instances = new Set();
  const wanted = process.env.APP ? 2 : 1;
  for (let n = 0; n < 3 || (n < 30 && instances.size < wanted); n += 1) {
    await page.reload();
    await page.locator('.what').getByText('GET /todos').waitFor();
    const link = await page.locator('.numbers a').getAttribute('href');
    const trace = await fetch(link, { headers: { accept: 'text/html' } });
    assert.equal(trace.status, 200, link);
    instances.add(new URL(link).origin);
  }
  assert.equal(instances.size, wanted, `${[...instances]}`);
  await page.close();
});

test('the same list goes twenty times to each version', async () => {
  const errors = [];
  const page = await open(browser, app, errors);
  await register(page);
  await add(page, 'Measure');
  await page.getByRole('link', { name: 'Compare' }).click();
  const asked = watch(page);
  await page.getByRole('button', { name: 'Send it 20 times each' }).click();
  await page.waitForSelector('.pair');
  for (const version of ['v1', 'v2']) {
    // One more before, which fills the cache.
    assert.equal(asked.filter((one) => one === `GET /api/${version}/todos 200`).length, 21);
    assert.equal(await page.locator(`.result.${version} .bar.${version}`).count(), 20);
    await page.locator(`.result.${version}`).getByText('Cache hits').waitFor();
  }
  assert.deepEqual(errors, []);
  await page.close();
});
