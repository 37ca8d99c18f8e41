/** What is asked about one agreement looks at one: a policy may have 100,000, and calls wait meanwhile. */

import { describe, expect, test } from 'vitest';
import { methodTable } from '../../../../src/rpc/methods/methods.js';
import { samples } from '../../../../src/rpc/metrics/sources.js';
import { Pins } from '../../../../src/state/pins/pins.js';
import { trustState } from '../../../../src/state/trust/trust-state.js';
import { Counters } from '../../../../src/state/verdicts/counters.js';
import { leaf, NOW, root } from '../../../support/certificates.js';
import { keptLog } from '../../../support/kept-log.js';
import { plainAgreements } from '../../../support/plain-agreements.js';
import { agreementWith } from '../../../support/snapshot.js';
import { policyOf } from '../../../support/state.js';

const AGREEMENTS = 3000;
const PINS = 50;
const { facts } = leaf(root({ subject: 'O=Operator B,CN=B CA' }));

/** A state over many agreements, and how often something of one in their list was looked at. */
function looked() {
  let looks = 0;
  const all = Array.from({ length: AGREEMENTS }, (_, at) =>
    agreementWith({ name: `op-${at}`, domains: [`d${at}.example`], pinned: true, enabled: at % 3 !== 0 }),
  );
  const policy = policyOf(all);
  // As those of a table, which are other objects here.
  const counted = plainAgreements(
    ...all.map(
      (each) =>
        new Proxy(each, {
          get(agreement, key) {
            looks += 1;
            return Reflect.get(agreement, key);
          },
        }),
    ),
  );
  looks = 0;
  const snapshot = { ...policy.snapshot, agreements: counted };
  const pins = new Pins({ pins: [], revision: 0 }, undefined, { most: PINS, clock: () => NOW, log: keptLog() });
  for (let at = 0; at < PINS; at += 1) pins.observe(`op-${AGREEMENTS - 1 - at}`, { ...facts, spkiSha256: `key ${at}` });
  const state = trustState({ policy, clock: () => NOW, pins, counters: new Counters() });
  Object.defineProperty(state.policy, 'snapshot', { get: () => snapshot });
  return { state, looks: () => looks };
}

describe('a policy of many agreements', () => {
  test.each([
    ['agreement.show', { name: `op-${AGREEMENTS - 1}` }],
    ['partner.show', { name: `op-${AGREEMENTS - 1}` }],
    ['header.list', { agreement: `op-${AGREEMENTS - 1}` }],
    ['pin.list', {}],
    ['pin.list', { state: 'observed' }],
  ])('ok/%s of %j walks over none of them', async (method, params) => {
    const { state, looks } = looked();
    const table = methodTable(
      state,
      { ...keptLog(), level: () => 'info', setLevel() {}, debug() {}, close: async () => {} },
      () => state.changes.reload(),
    );
    const asked = table.find(({ name }) => name === method);
    expect(await asked?.call(params, { wire: 'unix', peer: 'test', role: 'viewer' })).toBeDefined();
    expect(looks()).toBe(0);
  });

  test('ok/metrics count them once for as long as they are in force', async () => {
    const { state, looks } = looked();
    const { agreements, pinsWaiting } = samples({ state, readiness: () => ({}) as never, eventLoop: () => [] });
    const counts = [
      [['enabled'], (AGREEMENTS / 3) * 2],
      [['disabled'], AGREEMENTS / 3],
    ];
    expect(await agreements()).toEqual(counts);
    expect(looks()).toBe(AGREEMENTS);
    expect(await agreements()).toEqual(counts);
    expect(looks()).toBe(AGREEMENTS);
    expect(await pinsWaiting()).toEqual([[[], PINS]]);
    expect(looks()).toBe(AGREEMENTS + PINS);
  });
});
