//! Draws the pictures of the front end that README and docs show: `CHOKEPOINT=… node tests/browser/front/pictures.mjs FOLDER`.
//!
//! The cache is 20 ms away and v1 has two threads, so that requests wait, as they would with many visitors.

import { join } from 'node:path';
import { add, choose, launch, open, register } from './browser.mjs';
import { start } from '../server.mjs';

const folder = process.argv[2] ?? 'docs/images';
const TITLES = ['Buy oat milk and bread', 'Write the quarterly report', 'Measure it again, with more than one core', 'Read a flame graph'];

const server = await start({ LATENCY_CACHE: '20ms', V1_THREADS: '2' });
const browser = await launch();
const draw = async (page, name) => {
  // Messages go after a while; the pictures are of the screens.
  await page.waitForSelector('.message', { state: 'detached' });
  await page.mouse.move(0, 0);
  await page.evaluate(() => document.activeElement.blur());
  await page.screenshot({ path: join(folder, `${name}.png`) });
};
try {
  const context = await browser.newContext({ viewport: { width: 1100, height: 660 }, colorScheme: 'light' });
  const page = await open(context, server.app);
  await register(page, { username: 'ada', email: 'ada@example.com', password: 'correct horse' });
  for (const title of TITLES) await add(page, title);
  await choose(page, 'v1');
  await page.waitForResponse((answer) => answer.url().endsWith('/v1/todos'));
  for (const title of TITLES.slice(1, 3)) await page.getByRole('checkbox', { name: title }).check();
  await draw(page, 'front-todos');
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.getByRole('link', { name: 'Compare' }).click();
  await page.getByRole('button', { name: 'Send it 20 times each' }).click();
  await page.waitForSelector('.pair');
  await page.setViewportSize({ width: 1100, height: 810 });
  await draw(page, 'front-compare');
} finally {
  await browser.close();
  await server.stop();
}
