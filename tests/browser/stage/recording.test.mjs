//! A recording replays on the page as the race did: numerals, worker lanes, traces and flame graphs, without a
//! race on this machine.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { OPS, WIDTHS, accessible, faultless, fits, labs, launch, opened } from './browser.mjs';

let browser;
before(async () => { browser = await launch(); });
after(() => browser?.close());

const numeral = (page, lane, key) => page.locator(`[data-card="${lane}"] [data-numeral="${key}"] dd`).innerText();

test('each lab has a recording, which fits every screen and replays', async () => {
  for (const lab of await labs()) {
    const recorded = await (await fetch(`${OPS}/assets/recordings/${lab}.json`)).json();
    assert.equal(recorded.race.lab, lab);
    assert.equal(recorded.race.state, 'finished');
    for (const width of WIDTHS) {
      const view = await opened(browser, `/labs/${lab}?recording`, { width });
      const { page } = view;
      await page.locator('.uplot canvas').waitFor();
      await page.getByRole('heading', { name: 'One request, on average' }).waitFor();
      const { answered } = recorded.race.lanes[1].requests;
      assert.equal(await numeral(page, 1, 'answered'), answered.toLocaleString('en'), lab);
      await page.locator('.compared svg').first().waitFor();
      assert.equal(await page.locator('.compared svg.waterfall').count(), 2, lab);
      assert.ok(await page.locator('.flame .frame').count() > 0, lab);
      await fits(page, `${lab} at ${width}`);
      if (width === 1440) await accessible(page, lab);
      faultless(view, `${lab} at ${width}`);
      await view.close();
    }
  }
});

test('the slider and the replay show the lanes side by side at one moment', async () => {
  const [lab] = await labs();
  const { page, close } = await opened(browser, `/labs/${lab}?recording`);
  await page.locator('.uplot canvas').waitFor();
  const slider = page.locator('[data-time]');
  await slider.focus();
  await slider.press('Home');
  const atStart = [await numeral(page, 0, 'answered'), await numeral(page, 1, 'answered')];
  await slider.press('End');
  const atEnd = [await numeral(page, 0, 'answered'), await numeral(page, 1, 'answered')];
  assert.notDeepEqual(atStart, atEnd);
  await page.keyboard.press('Tab');
  await page.locator('h1').click();
  await page.keyboard.press(' ');
  await page.getByRole('button', { name: 'Pause' }).waitFor();
  await page.keyboard.press(' ');
  await page.getByRole('button', { name: 'Replay' }).waitFor();
  await close();
});

test('a guess is answered by what was measured', async () => {
  const { page, close } = await opened(browser, '/labs/blocking-n-plus-one?recording');
  await page.getByRole('button', { name: 'queries', exact: true }).click();
  await page.getByRole('button', { name: 'about 100' }).click();
  const said = await page.locator('[data-revealed]').innerText();
  assert.match(said, /Right, queries it is/);
  assert.match(said, /queries 101 in slow, 1 in fast/);
  assert.match(said, /The size is right too/);
  await close();
});

test('a recording from elsewhere is not loaded', async () => {
  for (const name of ['../stage/stage.js', 'https://evil.test/x', '%2e%2e/stage']) {
    const { page, close } = await opened(browser, `/labs/n-plus-one?recording=${name}`);
    // The page is about races of this server instead.
    await page.locator('[data-start]:enabled').first().waitFor();
    assert.equal(await page.locator('[data-outcome] table').count(), 0, name);
    await close();
  }
});
