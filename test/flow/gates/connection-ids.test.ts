/** A proxy that has seen so many connections that their numbers are negative (Kamailio counts them in 31 bits and a sign). */

import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshCallId, request } from '../../support/live/caller.js';
import { withPartnerB } from '../../support/live/daemon.js';
import { builds, type Kamailio } from '../../support/live/kamailio.js';
import { Network } from '../../support/live/network.js';
import { eventually } from '../../support/live/places.js';
import { family } from '../../support/live/processes.js';
import { expectRelayed } from '../../support/live/relayed.js';
import { headerOf, statusOf } from '../../support/live/sip-text.js';
import { TlsUas } from '../../support/live/uas.js';

const BEYOND = -(2 ** 31) + 1_000;

/** Where these parts of a process's memory hold this number. */
function holding(memory: number, ranges: readonly (readonly [number, number])[], value: number): readonly number[] {
  const found: number[] = [];
  const bytes = Buffer.alloc(1 << 20);
  for (const [start, end] of ranges) {
    for (let at = start; at < end; at += bytes.length) {
      const length = readSync(memory, bytes, 0, Math.min(bytes.length, end - at), at);
      const words = new Int32Array(bytes.buffer, bytes.byteOffset, length >> 2);
      for (let index = words.indexOf(value); index >= 0; index = words.indexOf(value, index + 1))
        found.push(at + 4 * index);
    }
  }
  return found;
}

/** Has it count connections from here on: the number that grows by one with each is the count. */
async function countFrom(network: Network, next: number): Promise<void> {
  const kamailio: Kamailio = network.cscf;
  const [pid = 0] = family(kamailio.pid);
  const shared = readFileSync(`/proc/${pid}/maps`, 'latin1')
    .split('\n')
    .filter((line) => /rw-s .*zero/.test(line));
  let places = shared.map(
    (line) =>
      line
        .split(/[- ]/)
        .slice(0, 2)
        .map((each) => Number.parseInt(each, 16)) as [number, number],
  );
  const memory = openSync(`/proc/${pid}/mem`, 'r+');
  try {
    while (places.some(([start, end]) => end - start > 4) || places.length > 1) {
      const caller = await network.overTcp();
      const ids = await eventually('its connection is known', () => {
        const listed = [...kamailio.rpc('core.tcp_list').matchAll(/\bid: (\d+)/g)].map(([, id]) => Number(id));
        return listed.length > 0 && listed;
      });
      places = holding(memory, places, Math.max(...ids) + 1).map((at) => [at, at + 4]);
      caller.close();
    }
    const [[at]] = places as [[number, number]];
    const word = Buffer.alloc(4);
    word.writeInt32LE(next);
    writeSync(memory, word, 0, 4, at);
  } finally {
    closeSync(memory);
  }
}

describe.each(builds('full'))('connections by the thousand million, Kamailio $version', (build) => {
  let network: Network;
  let place: TlsUas;

  beforeAll(async () => {
    network = await Network.start({
      build,
      policy: (standard, host) => withPartnerB(standard, { targets: [`${host(10)}:5061`], require_tls: true }),
    });
    await countFrom(network, BEYOND);
    const identity = network.pki.certificate({ issuer: network.cast.operatorB, names: ['DNS:b.example'] });
    place = await TlsUas.start(network.host(10), identity);
  }, 120_000);
  afterAll(async () => {
    place?.stop();
    await network?.stop();
  });

  it('ok/a partner is called over a proven connection, with identities', async () => {
    const user = await network.ownUser();
    await eventually('its call is answered', async () => {
      const callId = freshCallId();
      const headers = ['P-Asserted-Identity: <sip:carol@own.example>'];
      const sent = request({ ruri: 'sip:bob@b.example', transport: 'UDP', callId, headers });
      user.send(sent);
      if (statusOf(await user.final(callId)) !== 200) return false;
      expectRelayed(await place.received(callId, 'INVITE'), sent);
      return true;
    });
  });

  it('ok/a partner calls', async () => {
    const partner = await network.overTls(network.certificateOfA());
    const sent = request({ headers: ['P-Asserted-Identity: <sip:alice@a.example>'] });
    partner.send(sent);
    const callId = headerOf(sent, 'Call-ID') ?? '';
    expect(statusOf(await partner.final(callId))).toBe(200);
    expectRelayed(await network.uas.received(callId, 'INVITE'), sent);
  });
});
