//! Race and gate on each lab, as a person would start them, and the page beside a held server: it goes on to
//! show numerals while every app worker is held. Counts and states only.
//!
//! RACED names the labs, all if it is empty. PROOF has k6's outcome of each lab's proof load, `{lab}/{variant}.k6.json`: the gate has its verdict.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { OPS, accessible, faultless, fits, labs, launch, opened } from './browser.mjs';

let browser;
before(async () => { browser = await launch(); });
after(() => browser?.close());

const PATIENCE = { timeout: 180_000 };
const numeral = (page, lane, key) => page.locator(`[data-card="${lane}"] [data-numeral="${key}"] dd`);
const last = async (lab) => (await fetch(`${OPS}/labs/${lab}/race`)).json();
const ended = (page) => page.locator('[data-stop]:disabled').waitFor(PATIENCE);

const expressions = (thresholds) => thresholds.map(({ metric, expression }) => `${metric}: ${expression}`).sort();
const crossed = (thresholds) => expressions(thresholds.filter(({ held }) => !held));
const byK6 = (lab, variant) => JSON.parse(readFileSync(`${process.env.PROOF}/${lab}/${variant}.k6.json`, 'utf8')).thresholds;

async function started(page, { lanes = ['slow', 'fast'], visitors = 10, seconds = 5, button }) {
  for (const [lane, variant] of lanes.entries()) await page.locator(`[data-lane="${lane}"]`).selectOption(variant);
  await page.locator('.visitors span', { hasText: new RegExp(`^${visitors}$`) }).click();
  await page.locator('[data-seconds]').selectOption(String(seconds));
  await page.getByRole('button', { name: button, exact: true }).click();
  await page.locator('[data-stop]:enabled').waitFor(PATIENCE);
}

const named = (process.env.RACED ?? '').split(' ').filter(Boolean);
for (const lab of named.length ? named : await labs()) {
  test(`${lab} is raced: numerals while it runs, then figures, traces and flame graphs`, PATIENCE, async () => {
    const view = await opened(browser, `/labs/${lab}`);
    const { page } = view;
    await started(page, { button: 'Race' });
    await page.locator('[data-card="0"][data-state="running"]').waitFor(PATIENCE);
    await page.waitForFunction(() => document.querySelector('[data-card="0"] [data-numeral="in_flight"] dd').textContent !== '–');
    assert.equal(await page.locator('[data-start]:enabled').count(), 0, 'one race at a time');
    await ended(page);
    const race = await last(lab);
    assert.equal(race.state, 'finished', `${lab}: ${race.reason}`);
    await page.getByRole('heading', { name: 'One request, on average' }).waitFor();
    for (const [lane, { variant, requests }] of race.lanes.entries()) {
      assert.equal(await page.locator(`[data-card="${lane}"] [data-name]`).innerText(), variant);
      const row = page.locator('[data-outcome] tr', { hasText: 'answered' }).first().locator('td').nth(lane + 1);
      assert.equal(await row.innerText(), requests.answered.toLocaleString('en'), `${lab} ${variant}`);
      // What the page shows is what the server's own record says.
      const { started: since, ended: until } = race.lanes[lane];
      const query = new URLSearchParams({ variant, since, until });
      const measured = await (await fetch(`${OPS}/labs/${lab}/measurements?${query}`)).json();
      assert.equal(measured.count, race.lanes[lane].measured.count, `${lab} ${variant}`);
    }
    await page.locator('.compared svg.waterfall').nth(1).waitFor();
    await page.locator('.flame').first().waitFor();
    await fits(page, lab);
    await accessible(page, lab);
    faultless(view, lab);
    await view.close();
  });

  test(`${lab} has its gate: slow fails it and fast passes, as lab.json and k6 say`, PATIENCE, async () => {
    const { page, close } = await opened(browser, `/labs/${lab}`);
    await started(page, { button: 'Gate' });
    await ended(page);
    const race = await last(lab);
    assert.equal(race.state, 'finished', `${lab}: ${race.reason}`);
    const said = await page.locator('[data-outcome]').innerText();
    assert.match(said, /slow fails the gate, as it should/, lab);
    assert.match(said, /fast passes the gate, as it should/, lab);
    for (const { variant, verdict: { thresholds } } of race.lanes) {
      assert.deepEqual(expressions(thresholds), expressions(byK6(lab, variant)), `${lab} ${variant}`);
      assert.deepEqual(crossed(thresholds), crossed(byK6(lab, variant)), `${lab} ${variant}`);
    }
    await close();
  });
}

test('the page lives while 50 visitors hold every app worker, on a phone that came late too', PATIENCE, async () => {
  const lab = 'blocking-n-plus-one';
  const { page, close } = await opened(browser, `/labs/${lab}`);
  await page.evaluate(() => {
    window.seen = new Set();
    const clock = document.querySelector('[data-card="0"] [data-numeral="oldest"] dd');
    new MutationObserver(() => window.seen.add(clock.textContent)).observe(clock, { childList: true, characterData: true, subtree: true });
  });
  await started(page, { visitors: 50, seconds: 10, button: 'Race' });
  await page.locator('.slot.held').nth(1).waitFor(PATIENCE);
  const phone = await opened(browser, `/labs/${lab}`, { width: 390, height: 844 });
  await phone.page.waitForFunction(() => document.querySelectorAll('[data-card="0"] .slot.held').length > 0, null, PATIENCE);
  await phone.close();
  // Four ticks a second, each with another age of the oldest request.
  await page.waitForFunction(() => window.seen.size >= 16, null, PATIENCE);
  const trace = await page.locator('.slot.held[href]').first().getAttribute('href');
  assert.match(trace, /^\/debug\/traces\/[0-9a-f]{32}$/);
  await page.keyboard.press('s');
  await ended(page);
  assert.equal((await last(lab)).state, 'stopped');
  await close();
});

test('both at once has no verdict, and a second race is refused in words', PATIENCE, async () => {
  const lab = 'n-plus-one';
  const { page, close } = await opened(browser, `/labs/${lab}`, { expected: [404, 409] });
  await started(page, { lanes: ['slow', 'yours'], button: 'Both at once' });
  const other = await opened(browser, '/labs/join-storm', { expected: [404, 409] });
  await other.page.getByRole('button', { name: 'Race', exact: true }).click();
  await other.page.locator('[data-status]', { hasText: /a race of n-plus-one runs/i }).waitFor();
  await other.close();
  await ended(page);
  assert.equal(await page.locator('.verdict').count(), 0);
  assert.match(await page.locator('[data-status]').innerText(), /Both at once, so no verdict/);
  await close();
});

test('a point of the chart opens a trace, and speedscope a profile, in a frame of this page only', PATIENCE, async () => {
  const answer = await fetch(`${OPS}/assets/vendor/speedscope/dist/release/index.html`);
  assert.equal(answer.headers.get('x-frame-options'), 'SAMEORIGIN');
  assert.match(answer.headers.get('content-security-policy'), /style-src 'self' 'unsafe-inline'/);
  assert.equal((await fetch(`${OPS}/`)).headers.get('x-frame-options'), 'DENY');
  const view = await opened(browser, '/labs/n-plus-one');
  const { page } = view;
  await started(page, { button: 'Race' });
  await ended(page);

  // The slowest request of that second, of one of the lanes.
  const { lanes, seconds } = await last('n-plus-one');
  const [{ second }] = lanes[0].slowest;
  const ids = lanes.flatMap(({ slowest }) => slowest).filter((one) => one.second === second).map((one) => one.trace_id);
  const plot = page.locator('[data-chart=latency] .u-over');
  const { width, height } = await plot.boundingBox();
  const axis = Math.max(seconds, ...lanes.map((lane) => (lane.ended_ms - lane.started_ms) / 1000));
  const [trace] = await Promise.all([
    page.context().waitForEvent('page'),
    plot.click({ position: { x: ((second + 0.5) / axis) * width, y: height / 2 } }),
  ]);
  await trace.waitForURL(/\/debug\/traces\/[0-9a-f]{32}$/);
  assert.ok(ids.includes(trace.url().slice(-32)), `${trace.url()} of ${ids}`);
  await trace.close();

  await page.getByRole('button', { name: 'open in speedscope' }).first().click();
  await page.frameLocator('iframe').locator('canvas').first().waitFor();
  faultless(view);
  await view.close();
});
