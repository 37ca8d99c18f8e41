/** What siptrustd asks of Node: that what a reload makes is copied in small pieces. */

import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { ENGINE_OPTIONS } from '../../src/engine-options.js';

const MIB = 2 ** 20;

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
  expect(nurseryAfterWork(ENGINE_OPTIONS)).toBeLessThanOrEqual(4 * MIB);
  // Without its options a nursery grows: the test would see it.
  expect(nurseryAfterWork([])).toBeGreaterThan(4 * MIB);
});
