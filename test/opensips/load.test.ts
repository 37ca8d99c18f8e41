/** Many connections at a time. What a request costs: test/cost/live/opensips.test.ts. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OpensipsNetwork } from '../support/live/opensips-network.js';
import { rowsOf, statusOf } from '../support/live/sip-text.js';
import { BUILD, called, theBuild } from './stage.js';

describe.skipIf(BUILD === undefined)('load', () => {
  let network: OpensipsNetwork;
  beforeAll(async () => {
    network = await OpensipsNetwork.start({ build: theBuild() });
  });
  afterAll(() => network?.stop());

  it('ok/50 TLS clients at a time: each is asked about once, partners and strangers are told apart', async () => {
    const partner = network.certificateOfA();
    const other = network.certificateOfA({ names: ['DNS:x.example'] });
    const before = network.relay.count('trust.peer');
    const callers = await Promise.all(Array.from({ length: 50 }, (_, i) => network.tls(i % 2 === 0 ? partner : other)));
    for (let round = 0; round < 3; round++) {
      const results = await Promise.all(callers.map((caller) => called(network, caller)));
      results.forEach(({ answer, arrived }, i) => {
        expect(statusOf(answer)).toBe(200);
        expect(rowsOf(arrived ?? '', 'P-Asserted-Identity').length).toBe(i % 2 === 0 ? 1 : 0);
      });
    }
    expect(network.relay.count('trust.peer') - before).toBe(50);
  });
});
