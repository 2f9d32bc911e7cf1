//! How the screens look to everybody: on any width, in dark and in light, to a screen reader, by the keyboard alone.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { add, fill, goTo, launch, open, register, submit, titles, until } from './browser.mjs';
import { start } from '../server.mjs';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const WIDTHS = [320, 390, 768, 1440, 2560];

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

/** What axe finds. By `evaluate`: the page's policy refuses a script from elsewhere. */
async function violations(page) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

/** Texts that are smaller than 14 pixels. */
const small = (page) => page.evaluate(() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const { textContent, parentElement } = walker.currentNode;
    if (!textContent.trim() || parentElement.closest('.unseen, title, noscript')) continue;
    if (Number.parseFloat(getComputedStyle(parentElement).fontSize) < 14) found.push(textContent);
  }
  return found;
});

async function isFine(page, name) {
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 });
    const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(over <= 0, `${name} is ${over} px too wide at ${width}`);
    assert.deepEqual(await small(page), [], `${name} at ${width}`);
    if (width === 390 || width === 1440) assert.deepEqual(await violations(page), [], `${name} at ${width}`);
  }
}

for (const colorScheme of ['light', 'dark']) {
  test(`every screen is fine on every width, ${colorScheme}`, async () => {
    const context = await browser.newContext({ colorScheme, reducedMotion: 'reduce' });
    const errors = [];
    const page = await open(context, server.app, errors);
    const at = async (screen, selector, name = screen) => {
      await goTo(page, screen);
      await page.waitForSelector(selector);
      await isFine(page, name);
    };
    await isFine(page, 'the first visit');
    await at('login', '#password');
    await at('register', '#username');
    await submit(page);
    await page.waitForSelector('.error');
    await isFine(page, 'refused fields');
    await register(page);
    await isFine(page, 'no todos');
    for (const title of ['Bread', 'A title that goes on and on '.repeat(6).trim(), 'Milk']) await add(page, title);
    await page.getByRole('checkbox', { name: 'Milk' }).check();
    await page.getByRole('button', { name: 'The last 20 requests' }).click();
    await isFine(page, 'todos, with the table');
    await page.getByRole('button', { name: 'The last 20 requests' }).click();
    await page.getByRole('button', { name: 'Edit Milk' }).click();
    await isFine(page, 'a todo that is edited');
    await at('mine', '.empty', 'no posts');
    await at('posts', '.posts li');
    await at('posts/100', '.comments', 'a seeded post');
    await at('write', '#body');
    await fill(page, { title: 'Why p99 lies', body: 'It does not.' });
    await submit(page);
    await page.waitForSelector('.comment-form');
    await isFine(page, 'a post of one’s own');
    await page.locator('.post > .buttons').getByRole('button', { name: 'Delete' }).click();
    await isFine(page, 'a question');
    await page.getByRole('button', { name: 'Keep it' }).click();
    await goTo(page, 'compare');
    await page.getByRole('button', { name: 'Send it 20 times each' }).click();
    await page.waitForSelector('.pair');
    await isFine(page, 'v1 against v2');
    await at('posts/100/edit', '.narrow', 'another’s post');
    await at('posts/0', '.narrow', 'no such post');
    await at('nowhere', '.narrow', 'no such screen');
    await context.setOffline(true);
    await goTo(page, 'todos');
    await page.waitForSelector('main .failed');
    await isFine(page, 'offline');
    assert.deepEqual(errors, []);
    await context.close();
  });
}

test('the keyboard alone is enough', async () => {
  const page = await open(browser, server.app);
  const press = async (...keys) => {
    for (const key of keys) await page.keyboard.press(key);
  };
  const focused = () => page.evaluate(() => {
    const { activeElement: at } = document;
    return at.getAttribute('aria-label') ?? at.labels?.[0]?.textContent.trim() ?? at.textContent.trim();
  });
  const tabTo = async (name) => {
    for (let n = 0; n < 60; n += 1) {
      if (await focused() === name) {
        // Whoever steps along must see where they are.
        assert.notEqual(await page.evaluate(() => {
          const at = document.activeElement;
          const seen = at.matches('[type="radio"]') ? at.nextElementSibling : at;
          return getComputedStyle(seen).outlineStyle;
        }), 'none', name);
        return;
      }
      await press('Tab');
    }
    assert.fail(`Tab does not lead to ${name}, but to ${await focused()}`);
  };
  await press('Tab');
  assert.equal(await focused(), 'Skip to the content');
  await register(page);
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'H1', 'the heading of a new screen has the focus');
  await tabTo('What is to be done?');
  await page.keyboard.type('Bread');
  await press('Enter');
  await page.keyboard.type('Milk');
  await press('Enter');
  await until(() => page.locator('.todo:not(.draft)').count(), 2);
  await tabTo('Milk');
  await press('Space');
  await until(() => page.getByRole('checkbox', { name: 'Milk' }).isChecked(), true);
  await tabTo('Edit Milk');
  await press('Enter');
  await until(focused, 'Title');
  await page.keyboard.press('End');
  await page.keyboard.type(' and tea');
  await press('Enter');
  await until(() => titles(page), ['Milk and tea', 'Bread']);
  await until(focused, 'Edit Milk and tea');
  await tabTo('Delete Milk and tea');
  await press('Enter');
  await until(() => titles(page), ['Bread']);
  assert.equal(await focused(), 'Bread', 'the next one has the focus');
  // The arrows change the version, as in every group of radio buttons.
  await page.reload();
  await page.waitForSelector('.todo');
  await tabTo('v2');
  await press('ArrowLeft');
  await page.getByText('Accounts and todos now use v1.').waitFor();
  await page.close();
});
