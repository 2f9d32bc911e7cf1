//! Every page of the ops port at four widths, dark and light: nothing scrolls sideways, nothing is written to
//! the console, the content security policy has nothing to report, and axe finds nothing.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { APP, OPS, WIDTHS, accessible, faultless, fits, labs, launch, opened } from './browser.mjs';

let browser;
before(async () => { browser = await launch(); });
after(() => browser?.close());

// Two kept traces and a kept profile, so that no page is empty.
async function material() {
  const id = async (path) => (await fetch(`${APP}${path}`)).headers.get('x-trace-id');
  const [slow, fast] = [await id('/api/posts/v1/slow'), await id('/api/posts/v2/fast')];
  await fetch(`${OPS}/debug/pprof/profile?seconds=1&mode=wall`);
  return { slow, fast };
}

async function pages() {
  const { slow, fast } = await material();
  return [
    ['/', 200], ['/labs/', 200], ...(await labs()).map((lab) => [`/labs/${lab}`, 200]),
    ['/debug/traces', 200], [`/debug/traces/${slow}`, 200], [`/debug/traces/compare?a=${slow}&b=${fast}`, 200],
    ['/debug/blocked', 200], ['/debug/pprof/captures', 200],
    ['/nothing', 404], ['/labs/nothing', 404], ['/debug/traces?status=x', 422], ['/debug/traces/compare', 422],
  ];
}

test('no page scrolls sideways, complains, or breaks its policy', async () => {
  for (const [path, status] of await pages()) {
    for (const width of WIDTHS) {
      const { page, answer, close, faults } = await opened(browser, path, { width, scheme: width === 768 ? 'dark' : 'light' });
      assert.equal(answer.status(), status, path);
      assert.match(answer.headers()['content-type'], /text\/html/, path);
      await fits(page, `${path} at ${width}`);
      // The page's own status is on the console too.
      faultless({ faults: faults.filter((fault) => status === 200 || !fault.includes(`status of ${status}`)) }, `${path} at ${width}`);
      await close();
    }
  }
});

for (const scheme of ['light', 'dark']) {
  test(`axe finds nothing on any page, ${scheme}`, async () => {
    for (const [path] of await pages()) {
      for (const width of [360, 1440]) {
        const { page, close } = await opened(browser, path, { width, scheme });
        await accessible(page, `${path} at ${width}`);
        await close();
      }
    }
  });
}

test('a program gets an error as JSON, and a browser its words', async () => {
  const json = await fetch(`${OPS}/labs/nothing`);
  assert.equal(json.headers.get('content-type'), 'application/problem+json');
  const { detail } = await json.json();
  const { page, close } = await opened(browser, '/labs/nothing');
  assert.ok((await page.innerText('main')).toLowerCase().includes(detail.toLowerCase()));
  await close();
});

test('the choice of dark or light is kept, on every page', async () => {
  const { page, close } = await opened(browser, '/', { scheme: 'light' });
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await paper();
  await page.getByRole('button', { name: 'Dark or light' }).click();
  const dark = await paper();
  assert.notEqual(dark, light);
  await page.goto(`${OPS}/debug/traces`);
  assert.equal(await paper(), dark);
  await close();
});

test('the icon, the libraries and their licences are served', async () => {
  for (const [path, type] of [
    ['/favicon.svg', 'image/svg+xml'], ['/favicon.ico', 'image/svg+xml'],
    ['/assets/vendor/uplot/LICENSE', 'application/octet-stream'], ['/assets/stage/stage.js', 'text/javascript'],
  ]) {
    const answer = await fetch(OPS + path);
    assert.equal(answer.status, 200, path);
    assert.ok(answer.headers.get('content-type').startsWith(type), `${path}: ${answer.headers.get('content-type')}`);
    assert.equal(answer.headers.get('x-frame-options'), 'DENY', path);
  }
  for (const path of ['/assets/', '/assets/stage/', '/assets/../Cargo.toml', '/assets/%2e%2e/Cargo.toml', '/assets/stage/nothing.js', '/assets/%ff']) {
    assert.equal((await fetch(OPS + path)).status, 404, path);
  }
});

test('a file that is known is not sent again', async () => {
  const path = `${OPS}/assets/stage/stage.js`;
  const tag = (await fetch(path)).headers.get('etag');
  assert.equal((await fetch(path, { headers: { 'if-none-match': tag } })).status, 304);
});
