/** What a connection that has closed leaves behind in the memory that all processes of Kamailio share. */

import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshCallId, request } from '../../support/live/caller.js';
import { builds } from '../../support/live/kamailio.js';
import { Network } from '../../support/live/network.js';
import { statusOf } from '../../support/live/sip-text.js';

const CONNECTIONS = 30;
/** A TLS connection takes 70,000 octets; what is known of a peer, some hundred until its time is over. */
const LEFT = 10_000;

describe.each(builds('smoke'))('shared memory, Kamailio $version', (build) => {
  let network: Network;

  beforeAll(async () => {
    network = await Network.start({ build });
  });
  afterAll(() => network?.stop());

  const used = () => Number(/used: *(\d+)/.exec(network.cscf.rpc('core.shmmem'))?.[1]);

  async function calls(connections: number) {
    for (let i = 0; i < connections; i += 1) {
      const caller = await network.overTls(network.certificateOfA());
      const callId = freshCallId();
      caller.send(request({ callId, method: 'MESSAGE' }));
      expect(statusOf(await caller.final(callId, 'MESSAGE'))).toBe(200);
      caller.close();
    }
    // Transactions end 5 s after their answer.
    await pause(7000);
  }

  it('ok/a connection whose peer was asked about is given back when it closes', async () => {
    await calls(3);
    const before = used();
    await calls(CONNECTIONS);
    expect((used() - before) / CONNECTIONS).toBeLessThan(LEFT);
  });
});
