//! The keys of a lab's page, as its list names them.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { accessible, faultless, labs, launch, opened } from './browser.mjs';

let browser;
before(async () => { browser = await launch(); });
after(() => browser?.close());

test('the keys do what their list says', async () => {
  const [first, second] = await labs();
  const view = await opened(browser, `/labs/${first}`);
  const { page } = view;
  await page.keyboard.press('?');
  await page.getByRole('dialog').waitFor();
  await accessible(page, 'the list of keys');
  await page.keyboard.press('h');
  assert.equal(await page.locator('.hints li:not([hidden])').count(), 0, 'a dialog has the keys');
  await page.keyboard.press('Escape');
  await page.keyboard.press('h');
  await page.keyboard.press('h');
  assert.equal(await page.locator('.hints li:not([hidden])').count(), 2);
  const diff = page.locator('[data-diff]');
  assert.equal(await diff.evaluate((fold) => fold.open), false, 'the difference gives the answer away');
  await page.keyboard.press('d');
  assert.equal(await diff.evaluate((fold) => fold.open), true);
  assert.ok(await page.locator('.difference .hljs-keyword').count() > 0, 'it has colours');
  await page.keyboard.press('p');
  assert.equal(await page.locator('.guess').isVisible(), false);
  assert.equal(await page.locator('.lane').first().isVisible(), true);
  await accessible(page, 'the projector');
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('.guess').isVisible(), true);
  faultless(view);
  await Promise.all([page.waitForURL(new RegExp(`/labs/${second}$`)), page.keyboard.press('n')]);
  await view.close();
});

test('hints come one by one, and the last one says so', async () => {
  const [first] = await labs();
  const { page, close } = await opened(browser, `/labs/${first}`);
  const button = page.getByRole('button', { name: 'Show a hint' });
  const hints = await page.locator('.hints li').count();
  for (let shown = 1; shown <= hints; shown += 1) {
    await button.click();
    assert.equal(await page.locator('.hints li:visible').count(), shown);
  }
  assert.equal(await button.isDisabled(), true);
  await close();
});

test('everything can be reached by the tabulator, and is seen to be', async () => {
  const [first] = await labs();
  const { page, close } = await opened(browser, `/labs/${first}`);
  const reached = new Set();
  for (let press = 0; press < 80; press += 1) {
    await page.keyboard.press('Tab');
    const [name, outline] = await page.evaluate(() => {
      const { activeElement: at } = document;
      // Between the last element and the first one the browser's own have the focus.
      if (at === document.body) return ['', 'browser'];
      const shown = at.type === 'radio' ? at.nextElementSibling : at;
      return [at.dataset.start ?? at.dataset.key ?? at.name ?? at.id, getComputedStyle(shown).outlineStyle];
    });
    assert.notEqual(outline, 'none', name);
    reached.add(name);
  }
  for (const name of ['turns', 'gate', 'both', 'visitors', 'h', 'd']) assert.ok(reached.has(name), `${name} is not reached`);
  await close();
});
