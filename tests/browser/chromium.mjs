//! Chromium, as these tests start it: quiet, and without calls of its own.

import { chromium } from 'playwright-core';

export const options = (...more) => ({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync',
    '--disable-background-networking', '--disable-component-update', ...more,
  ],
});

export const launch = (...more) => chromium.launch(options(...more));
