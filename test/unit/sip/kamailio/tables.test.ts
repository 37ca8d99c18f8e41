/** What the plugin of Kamailio keeps for a time in its tables. */

import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const PLUGIN = new URL('../../../../plugin/kamailio/', import.meta.url);

// Of 5.6.3 and 6.0.1: the cell that takes the place of a shorter one gets no end (htable, ht_set_cell_ex()).
test('ok/sht_setxs() writes no text whose length may change', () => {
  const files = readdirSync(PLUGIN).filter((name) => name.endsWith('.cfg'));
  const calls = files.flatMap((name) => readFileSync(new URL(name, PLUGIN), 'utf8').match(/\bsht_setxs\(".*/g) ?? []);
  const values = calls.map((call) => /^sht_setxs\("[^"]*", "[^"]*", "([^"]*)"/.exec(call)?.[1]);
  expect(values.filter((value) => value === undefined || value.includes('$'))).toEqual([]);
});
