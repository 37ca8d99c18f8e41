/** What siptrustd asks of Node: that what a reload makes is copied in small pieces. */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const MIB = 2 ** 20;
const [FIRST_LINE = ''] = readFileSync(join(import.meta.dirname, '../../src/main.ts'), 'utf8').split('\n');
const OPTIONS = FIRST_LINE.replace(/^#!\/usr\/bin\/env -S node ?/, '').split(' ');

/** Octets of the nursery once 50 MiB have been made that stay, as by a policy. */
function nurseryAfterWork(options: readonly string[]): number {
  const script = `
    const kept = [];
    for (let at = 0; at < 500_000; at++) kept.push({ at, list: [at] });
    const { space_size } = require('v8').getHeapSpaceStatistics().find((each) => each.space_name === 'new_space');
    console.log(kept.length && space_size);`;
  const { status, stdout, stderr } = spawnSync(process.execPath, [...options, '-e', script], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return Number(stdout);
}

test('ok/siptrustd copies at most 2 MiB of what stays in one turn, of two halves of its nursery', () => {
  expect(FIRST_LINE).toMatch(/^#!\/usr\/bin\/env -S node --/);
  expect(nurseryAfterWork(OPTIONS)).toBeLessThanOrEqual(4 * MIB);
  // Without its options a nursery grows: the test would see it.
  expect(nurseryAfterWork([])).toBeGreaterThan(4 * MIB);
});
