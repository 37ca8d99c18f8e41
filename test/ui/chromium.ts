/** The browser of these tests, and how it is started. */

import { existsSync } from 'node:fs';

export const CHROMIUM = process.env.SIPTRUST_CHROMIUM ?? '/usr/bin/chromium';
export const FLAGS = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];

/** Whether there is one; says so where there is none. */
export function browserIsThere(): boolean {
  const there = existsSync(CHROMIUM);
  if (!there) process.stdout.write(`the page is not tested: no Chromium at ${CHROMIUM} (apt-get install chromium)\n`);
  return there;
}
