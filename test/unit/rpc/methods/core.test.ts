import { expect, test } from 'vitest';
import { operatorLog } from '../../../../src/log/logger.js';
import { coreMethods } from '../../../../src/rpc/methods/core.js';
import { trustState } from '../../../../src/state/trust/trust-state.js';
import { NOW } from '../../../support/certificates.js';
import { asking, policyOf } from '../../../support/state.js';

test('ok/a clock that was set back by a day makes nobody start in the future, nor run for less than no time', async () => {
  let now = NOW;
  const state = trustState({ policy: policyOf([]), clock: () => now });
  const ask = asking(coreMethods(state, operatorLog(undefined, 'error')));
  now -= 86_400_000;
  const told = ask('core.uptime', {}) as { now: string; up_since: string; uptime: number };
  expect(told.uptime).toBeGreaterThanOrEqual(0);
  expect(Date.parse(told.up_since)).toBeLessThanOrEqual(now);
  expect(Date.parse(told.now)).toBe(now);
  expect(((await ask('core.status', {})) as { uptime: number }).uptime).toBeGreaterThanOrEqual(0);
});
