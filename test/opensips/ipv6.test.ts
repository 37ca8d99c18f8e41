/** A partner, and our own side, over IPv6, beside IPv4. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { type Caller, freshCallId, request } from '../support/live/caller.js';
import { replaced } from '../support/live/opensips.js';
import { agreementByWords, OpensipsNetwork } from '../support/live/opensips-network.js';
import { answered } from '../support/live/party.js';
import { eventually, freePort } from '../support/live/places.js';
import { headerOf, methodOf, rowsOf, type SipText, statusOf } from '../support/live/sip-text.js';
import { TlsUas } from '../support/live/uas.js';
import { BUILD, theBuild } from './stage.js';

const OURS = 'P-Asserted-Identity: <sip:user@own.example>';
const own = '<sip:user@own.example>;tag=1';

/** The proxy, with a UDP and a TLS socket at ::1; one port of ours besides. */
async function dual(inside: boolean, targets: readonly string[] = []): Promise<[OpensipsNetwork, number]> {
  const port = await freePort('::1');
  const network = await OpensipsNetwork.start({
    build: theBuild(),
    settings: (host) => ({
      siptrust_keepalive: '1',
      siptrust_inside_sockets: `"|udp:${host(4)}:5060|${inside ? `udp:[0:0:0:0:0:0:0:1]:${port}|` : ''}"`,
      siptrust_inside_networks: `"${host(3)}/32|${inside ? '::1/128' : '2001:db8::/32'}"`,
      siptrust_inside_hops: `"${host(3)}/32|${inside ? '::1/128' : '2001:db8::/32'}"`,
    }),
    edit: (sample) =>
      replaced(sample, [[/^(?=socket = tcp:)/m, `socket = udp:[::1]:${port}\nsocket = tls:[::1]:${port}\n`]]),
  });
  const terms = agreementByWords('op-b', 'b.example', network.operatorB, { targets });
  if (targets.length > 0) await network.daemon.reload({ ...network.standardPolicy, agreements: [terms] });
  return [network, port];
}

function send(user: Caller, ruri: string): Promise<SipText> {
  const callId = freshCallId();
  user.send(request({ callId, method: 'MESSAGE', ruri, from: own, headers: [OURS], transport: 'UDP' }));
  return user.final(callId);
}

describe.skipIf(BUILD === undefined)('IPv6', () => {
  it('ok/a place of a partner: proven, and proven anew when it is back', async () => {
    const at = await freePort('::1');
    const [network] = await dual(false, [`[0:0::1]:${at}`]);
    const user = await network.user();
    const identity = network.pki.certificate({ issuer: network.operatorB, names: ['DNS:b.example'] });
    for (let i = 0; i < 2; i++) {
      const partner = await TlsUas.start('::1', identity, {}, at);
      await eventually(
        'it gets what we assert',
        async () => {
          const answer = await send(user, i === 0 ? 'sip:bob@b.example' : `sip:bob@[::1]:${at};transport=tls`);
          const got = partner.find(headerOf(answer, 'Call-ID') ?? '', 'MESSAGE');
          return got !== undefined && rowsOf(got, 'P-Asserted-Identity').length === 1;
        },
        15_000,
      );
      partner.stop();
    }
    expect(network.proxy.log.match(/.*different AF.*/g) ?? []).toEqual([]);
    await network.stop();
  });

  it('ok/our own side', async () => {
    const [network, port] = await dual(true);
    const inner = createSocket('udp6');
    const got: SipText[] = [];
    inner.on('message', (bytes, from) => {
      const text = bytes.toString('latin1');
      got.push(text);
      if (statusOf(text) === 0) inner.send(answered(text, '200 OK', [OURS]), from.port, from.address);
    });
    inner.bind(0, '::1');
    await once(inner, 'listening');
    const user = await network.user();
    const answer = await send(user, `sip:bob@[::1]:${inner.address().port}`);
    expect(rowsOf(answer, 'P-Asserted-Identity')).toHaveLength(1);
    const text = request({
      method: 'MESSAGE',
      ruri: `sip:x@${network.called}:5060`,
      from: own,
      headers: [OURS],
      transport: 'UDP',
    });
    inner.send(text, port, '::1');
    const callId = headerOf(text, 'Call-ID') ?? '';
    await eventually('it comes to our side', () => network.uas.find(callId, 'MESSAGE'));
    expect(
      got.filter((each) => methodOf(each) === 'MESSAGE').flatMap((each) => rowsOf(each, 'P-Asserted-Identity')),
    ).toHaveLength(1);
    expect(rowsOf(network.uas.find(callId, 'MESSAGE') ?? '', 'P-Asserted-Identity')).toHaveLength(1);
    expect(network.proxy.log.match(/.*different AF.*/g) ?? []).toEqual([]);
    inner.close();
    await network.stop();
  });
});
