//! Chromium as these tests start it, and what a visitor does in it.
//!
//! Pages that a test opens here may log nothing as an error, but for answers that the test asks for.

import assert from 'node:assert/strict';
import * as chromium from '../chromium.mjs';

/** A host name that leads here: like an address on a LAN it is no secure context, where localhost is one. */
export const LAN = 'front.test';

export const PASSWORD = 'correct horse';

export const launch = (...more) => chromium.launch(`--host-resolver-rules=MAP ${LAN} 127.0.0.1`, ...more);

export const onLan = (url) => url.replace('127.0.0.1', LAN);

/** Opens a window. What its console says goes to `errors`: exceptions, and refusals by the page's policy. */
export async function open(browserOrContext, url, errors = []) {
  const page = await browserOrContext.newPage();
  page.setDefaultTimeout(15_000);
  page.on('pageerror', (error) => errors.push(error.stack));
  page.on('console', (message) => {
    // Statuses and lost connections are what some tests are about.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) errors.push(message.text());
  });
  page.on('dialog', async (dialog) => {
    errors.push(`a dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  await page.goto(url);
  await page.waitForSelector('h1');
  return page;
}

let people = 0;

/** Somebody who is not there yet. */
export function somebody() {
  people += 1;
  const username = `p${process.pid}_${people}`;
  return { username, email: `${username}@example.com`, password: PASSWORD };
}

export const goTo = (page, screen) => page.evaluate((hash) => {
  location.hash = hash;
}, `#/${screen}`);

export async function fill(page, values) {
  for (const [name, value] of Object.entries(values)) await page.fill(`main [name="${name}"]`, value);
}

export const submit = (page) => page.click('main button[type="submit"]');

export async function register(page, who = somebody()) {
  await goTo(page, 'register');
  await page.waitForSelector('#username');
  await fill(page, who);
  await submit(page);
  await page.waitForSelector('#title');
  return who;
}

export async function logIn(page, { email, password }) {
  await goTo(page, 'login');
  await page.waitForSelector('#email');
  await fill(page, { email, password });
  await submit(page);
  await page.waitForSelector('#email', { state: 'detached' });
}

export async function choose(page, version) {
  await page.click(`.switch label.${version}`);
}

/** Adds a todo and waits until the server has it. */
export async function add(page, title) {
  await page.fill('#title', title);
  await page.press('#title', 'Enter');
  await page.locator('.todo:not(.draft) .title').getByText(title, { exact: true }).waitFor();
}

export const titles = (page) => page.locator('.todo .title').allTextContents();

/** Waits until a look at the page is as wanted; at the end it says how it was. */
export async function until(look, wanted, patience = 15_000) {
  const end = Date.now() + patience;
  let seen;
  do {
    seen = await look();
    if (JSON.stringify(seen) === JSON.stringify(wanted)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  } while (Date.now() < end);
  assert.deepEqual(seen, wanted);
}

/** Requests of a page to the API, as `POST /api/v2/todos 201`, from now on. */
export function watch(page) {
  const seen = [];
  page.on('response', (answer) => {
    const { pathname } = new URL(answer.url());
    if (pathname.startsWith('/api/')) seen.push(`${answer.request().method()} ${pathname} ${answer.status()}`);
  });
  return seen;
}
