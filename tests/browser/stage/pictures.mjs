//! Screenshots for README and docs: the race of the first lab running and ended, why, and the catalogue, 1440 and
//! 390 px wide, and the projector. Usage: OPS=http://… node pictures.mjs [folder [lab]]
//!
//! It starts a race, so OPS must be a server that nobody else loads.

import { mkdirSync } from 'node:fs';
import { OPS, launch } from './browser.mjs';

const folder = process.argv[2] ?? 'docs/images';
const lab = process.argv[3] ?? 'blocking-n-plus-one';
mkdirSync(folder, { recursive: true });
const browser = await launch();

const SIZES = { 1440: { width: 1440, height: 900 }, 390: { width: 390, height: 844 } };
const open = async (path, size, colorScheme) => {
  const page = await browser.newPage({ viewport: SIZES[size], colorScheme });
  await page.goto(OPS + path);
  return page;
};
const picture = async (page, name, from) => {
  if (from) await page.locator(from).first().evaluate((part) => part.scrollIntoView());
  await page.screenshot({ path: `${folder}/${name}.png` });
  console.log(`${folder}/${name}.png`);
};

const pages = { 1440: await open(`/labs/${lab}`, '1440', 'light'), 390: await open(`/labs/${lab}`, '390', 'dark') };
await pages[1440].keyboard.press('r');
await pages[1440].locator('[data-card="1"][data-state="running"]').waitFor({ timeout: 120_000 });
await pages[1440].waitForTimeout(6_000);
for (const [size, page] of Object.entries(pages)) await picture(page, `race-running-${size}`, '.controls');
await pages[1440].locator('[data-stop]:disabled').waitFor({ timeout: 180_000 });
for (const [size, page] of Object.entries(pages)) {
  await page.locator('.compared svg').first().waitFor();
  await page.locator('.flame').first().waitFor();
  await picture(page, `race-ended-${size}`, '.controls');
  await picture(page, `race-why-${size}`, '[data-why]');
  await picture(await open('/', size, 'light'), `catalogue-${size}`);
}
await pages[1440].evaluate(() => scrollTo(0, 0));
await pages[1440].keyboard.press('p');
await picture(pages[1440], 'projector-1440');
await browser.close();
