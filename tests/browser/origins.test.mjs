//! Pages of other origins get nothing out of ops, and nothing done: neither by sending requests to it, nor
//! under a name of theirs that leads to it (DNS rebinding). Its own pages go on to work.
//!
//! OPS is the ops port.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { launch } from './chromium.mjs';

const { OPS } = process.env;
const RESET = `${OPS}/labs/n-plus-one/reset`;
const PICTURE = `${OPS}/debug/pprof/flamegraph?mode=wall&seconds=1`;
const port = new URL(OPS).port;

let browser;
let elsewhere;

before(async () => {
  // Another origin by its port, and another one by its name, which leads to this machine.
  elsewhere = createServer((_, answer) => answer.setHeader('content-type', 'text/html').end('<p>hello'));
  await new Promise((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
  // Chromium's own guard of local addresses is off, because not every browser has one.
  browser = await launch(
    '--host-resolver-rules=MAP evil.test 127.0.0.1',
    '--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests',
  );
});

after(async () => {
  await browser?.close();
  elsewhere?.close();
});

const captures = async () => {
  const { kept, forgotten } = await (await fetch(`${OPS}/debug/pprof/captures`)).json();
  return kept + forgotten;
};
const refused = async (reason) => {
  const metrics = await (await fetch(`${OPS}/metrics`)).text();
  const series = new RegExp(`^chokepoint_ops_refused_total\\{reason="${reason}"\\} (\\d+)$`, 'm');
  return Number(series.exec(metrics)?.[1] ?? 0);
};

for (const host of ['127.0.0.1', 'evil.test']) {
  test(`a page on ${host} with another port has nothing done`, async () => {
    const was = { captures: await captures(), refused: await refused('origin') };
    const page = await browser.newPage();
    await page.goto(`http://${host}:${elsewhere.address().port}/`);
    await page.evaluate((url) => fetch(url, { method: 'POST', mode: 'no-cors' }), RESET);
    const shown = await page.evaluate((src) => new Promise((resolve) => {
      const picture = new Image();
      picture.onload = () => resolve(true);
      picture.onerror = () => resolve(false);
      picture.src = src;
    }), PICTURE);
    assert.equal(shown, false);
    const [sent] = await Promise.all([
      page.waitForResponse(RESET),
      page.evaluate((action) => {
        const form = Object.assign(document.createElement('form'), { action, method: 'POST' });
        document.body.append(form);
        form.submit();
      }, RESET),
    ]);
    assert.equal(sent.status(), 403);
    assert.equal(await refused('origin'), was.refused + 3);
    assert.equal(await captures(), was.captures);
    await page.close();
  });
}

test('under a name that leads to ops a page reads nothing', async () => {
  const was = await refused('host');
  const page = await browser.newPage();
  // The page came from there, before the name led to this machine.
  const there = `http://evil.test:${port}`;
  await page.route(`${there}/`, (route) => route.fulfill({ contentType: 'text/html', body: '<p>hello' }));
  await page.goto(`${there}/`);
  const asked = (path, method) => page.evaluate(async ([path, method]) => {
    const answer = await fetch(path, { method });
    return [answer.status, await answer.text()];
  }, [path, method]);
  for (const [path, method] of [['/metrics', 'GET'], ['/debug/traces', 'GET'], ['/labs/n-plus-one/reset', 'POST']]) {
    const [status, text] = await asked(path, method);
    assert.equal(status, 403, path);
    assert.match(text, /OPS_HOSTS/);
  }
  assert.equal(await refused('host'), was + 3);
  await page.close();
});

test('a page of ops does all of it, and a typed address works', async () => {
  const was = { captures: await captures(), refused: await refused('origin') };
  const page = await browser.newPage();
  await page.goto(`${OPS}/`);
  assert.equal(await page.evaluate(async (url) => (await fetch(url, { method: 'POST' })).status, RESET), 204);
  // As a typed address.
  const answer = await page.goto(PICTURE);
  assert.equal(answer.status(), 200);
  assert.match(await page.content(), /Wall-clock flame graph/);
  assert.equal(await captures(), was.captures + 1);
  assert.equal(await refused('origin'), was.refused);
  await page.close();
});

test('a link from elsewhere to what is cheap is followed', async () => {
  const page = await browser.newPage();
  await page.goto(`http://evil.test:${elsewhere.address().port}/`);
  await page.evaluate((href) => document.body.append(Object.assign(document.createElement('a'), { href, textContent: 'traces' })),
    `${OPS}/debug/traces`);
  const [answer] = await Promise.all([page.waitForResponse(`${OPS}/debug/traces`), page.click('a')]);
  assert.equal(answer.status(), 200);
  await page.close();
});
