/** What a connection that has closed leaves behind in the memory that all processes of Kamailio share. */

import { createSocket } from 'node:dgram';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshCallId, request } from '../../support/live/caller.js';
import { builds } from '../../support/live/kamailio.js';
import { Network } from '../../support/live/network.js';
import { eventually } from '../../support/live/places.js';
import { statusOf } from '../../support/live/sip-text.js';

const CONNECTIONS = 30;
/** A TLS connection takes 70,000 octets; what is known of a peer, some hundred until its time is over. */
const LEFT = 10_000;
/** Addresses of our own side that are remembered in a minute: those that are asked of, and those that are seen. */
const MOST_NEAR = 2 * 200;

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

describe.each(builds('smoke'))('addresses of our own side, Kamailio $version', (build) => {
  let network: Network;

  beforeAll(async () => {
    network = await Network.start({
      build,
      defines: () => ({ SIPTRUST_INSIDE_NETS: { string: '127.0.0.0/8' } }),
    });
  });
  afterAll(() => network?.stop());

  /** What 300 addresses leave behind in siptrust_near, with all that came before. */
  async function known(thirds: readonly number[]): Promise<number> {
    const text = (callId: string) => request({ callId, method: 'OPTIONS', transport: 'UDP' });
    for (const third of thirds) {
      for (let host = 1; host <= 150; host++) {
        const socket = createSocket('udp4');
        await new Promise<void>((bound) => socket.bind(0, `127.254.${third}.${host}`, bound));
        await new Promise((sent) => socket.send(text(freshCallId()), 5060, network.host(3), sent));
        socket.close();
        await pause(2);
      }
    }
    const caller = await network.overUdp();
    const callId = freshCallId();
    caller.send(text(callId));
    await caller.final(callId, 'OPTIONS');
    return network.cscf.rpc('htable.dump', 'siptrust_near').split('name:').length - 1;
  }

  it('ok/sources that somebody makes up take no more memory than two hundred a minute', async () => {
    const first = await known([1, 2]);
    expect(first).toBeGreaterThan(MOST_NEAR / 2);
    expect(first).toBeLessThan(MOST_NEAR + 1);
  });

  it('ok/nor where the time of what was counted is over, and Kamailio has not swept it away yet', async () => {
    const counted = /name: (\S*near)/.exec(network.cscf.rpc('htable.dump', 'siptrust_minute'))?.[1] ?? '';
    network.cscf.rpc('htable.setex', 'siptrust_minute', counted, '300');
    const minute = new Date().getMinutes();
    await eventually('the next minute', () => new Date().getMinutes() !== minute, 70_000);
    network.cscf.rpc('htable.setex', 'siptrust_minute', counted, '1');
    await pause(2_100);
    expect(await known([3, 4])).toBeLessThan(2 * MOST_NEAR + 1);
  }, 120_000);
});
