/** The short form of `make soak`: a minute of calls while siptrustd dies, policies change and certificates rotate. */

import { expect, it } from 'vitest';
import { complaints } from '../soak/report.js';
import { soak } from '../soak/run.js';
import { builds, installedBuild } from '../support/live/kamailio.js';

it('ok/calls go on, and no stranger is believed, whatever happens to siptrustd', { timeout: 240_000 }, async () => {
  // The newest there is: with it certificates rotate at the proxies, too.
  const report = await soak(builds('smoke').at(-1) ?? installedBuild(), {
    seconds: 60,
    rate: 20,
    every: { kill: 14, reload: 5, rotate: 10, connect: 0.5, sample: 5 },
  });
  expect(complaints(report, { memory: false })).toEqual([]);
  expect(report.kills).toBeGreaterThanOrEqual(3);
  expect(report.reloads).toBeGreaterThanOrEqual(5);
  expect(report.rotations).toBeGreaterThanOrEqual(3);
  expect(report.steady.siptrust.calls).toBeGreaterThanOrEqual(1_200);
  expect(report.passing.siptrust.calls).toBeGreaterThanOrEqual(40);
  for (const { shared, proxy, steady } of report.samples) {
    expect([shared.siptrust, shared.plain, proxy.siptrust, proxy.plain, steady].every((value) => value > 0)).toBe(true);
  }
});
