/** Where a request really goes: by maddr, over a socket that somebody has chosen, and to the next address of a name. */

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, inDialog, request } from '../support/live/caller.js';
import type { StandardPolicy } from '../support/live/daemon.js';
import { type OpensipsBuild, replaced } from '../support/live/opensips.js';
import { agreementByWords, OpensipsNetwork } from '../support/live/opensips-network.js';
import { answered, Party } from '../support/live/party.js';
import { eventually } from '../support/live/places.js';
import { expectNowhere, privateRows } from '../support/live/secrets.js';
import { headerOf, methodOf, type SipText, statusOf } from '../support/live/sip-text.js';
import { Uas } from '../support/live/uas.js';
import { type NameServer, noNameServer, startNameServer } from '../support/name-server.js';
import { answerTo, BUILD, noOrders, ordered, takingOrders, theBuild } from './stage.js';

const SECRET = privateRows('secret');
const OWN = '<sip:user@own.example>;tag=1';

/** By user part: what scripts do to the socket of a request. */
const FEATURES = (host: (host: number) => string) => `
	if ($rU == "udp") {
		$socket_out = "udp:${host(2)}:5060";
	}
	if ($rU == "tcp") {
		$socket_out = "tcp:${host(2)}:5060";
	}
`;

describe.skipIf(BUILD === undefined)('where a request goes', () => {
  let network: OpensipsNetwork;
  let stranger: Party;
  let partner: Party;
  let datagrams: Uas;
  let user: Caller;
  let outsider: Caller;
  let before = 0;

  beforeAll(async () => {
    network = await OpensipsNetwork.start({
      build: theBuild(),
      settings: { siptrust_keepalive: '1' },
      policy: (standard, host) => ({ ...standard, agreements: [placed(standard, `${host(10)}:5061`)] }),
      edit: (sample, host) =>
        replaced(noOrders() === undefined ? takingOrders(sample, host) : sample, [
          ['route[RELAY] {\n', `route[RELAY] {\n${FEATURES(host)}`],
        ]),
    });
    const identity = (name: string) =>
      network.pki.certificate({ issuer: network.operatorB, names: [`DNS:${name}.example`] });
    stranger = await Party.start(network.host(12), identity('stranger'));
    partner = await Party.start(network.host(10), identity('b'));
    datagrams = await Uas.start(network.host(10), {}, 5061);
    user = await network.user();
    outsider = await network.udp();
    await eventually('b.example is proven', async () => {
      const callId = freshCallId();
      await answerTo(user, { callId, method: 'MESSAGE', ruri: 'sip:bob@b.example', from: OWN, headers: SECRET });
      return partner.find(callId, 'MESSAGE')?.includes('secret');
    });
  });
  afterAll(async () => {
    for (const party of [stranger, partner, datagrams]) party?.stop();
    await network?.stop();
  });
  beforeEach(() => {
    before = stranger.got.length;
  });

  const clean = () => expectNowhere('secret', stranger.got.slice(before));

  describe('maddr', () => {
    const lured = (transport: string) => `sip:bob@${network.called}:5060;maddr=${stranger.host};transport=${transport}`;

    it.each(['udp', 'tcp'])(
      'fail/an address of ours that stands for a stranger, over %s: stripped',
      async (transport) => {
        const callId = freshCallId();
        const terms = { callId, method: 'MESSAGE', from: OWN, headers: SECRET };
        expect(statusOf(await answerTo(user, { ...terms, ruri: lured(transport) }))).toBe(200);
        expect(stranger.find(callId, 'MESSAGE')).toBeDefined();
        clean();
      },
    );

    it('fail/in the Contact of a stranger who has answered: what follows is stripped', async () => {
      const { answer } = stranger;
      stranger.answer = (text) => [answered(text, '200 OK', [`Contact: <${lured('udp')}>`])];
      const got = await answerTo(user, { ruri: stranger.uri('udp'), from: OWN, headers: SECRET });
      const { route, ...terms } = inDialog(got);
      const within = { ...terms, from: OWN, headers: [...route, ...SECRET] };
      user.send(request({ ...within, transport: 'UDP', method: 'ACK' }));
      // Another process deals with what comes next, and may be the faster one.
      await stranger.received(headerOf(got, 'Call-ID') ?? '', 'ACK');
      for (const [cseq, method] of ['INFO', 'BYE'].entries())
        expect(statusOf(await answerTo(user, { ...within, method, cseq: cseq + 2 }))).toBe(200);
      stranger.answer = answer;
      expect(stranger.got.slice(before).map(methodOf)).toEqual(['INVITE', 'ACK', 'INFO', 'BYE']);
      clean();
    });

    it('fail/a stranger leads through the sample to somebody else', async () => {
      const callId = freshCallId();
      const headers = [`Route: <sip:${network.address}:5060;lr>`];
      const to = '<sip:bob@own.example>;tag=2';
      const got = await answerTo(outsider, { callId, method: 'MESSAGE', to, headers, ruri: lured('udp') });
      expect(statusOf(got), got).toBe(403);
      expect(stranger.find(callId, 'MESSAGE')).toBeUndefined();
    });
  });

  describe('a socket that somebody has chosen', () => {
    it.each(['udp', 'tcp'])(
      'ok/%s, to a proven partner: over the proven connection, and no other one',
      async (name) => {
        const callId = freshCallId();
        const ruri = `sip:${name}@${partner.host}:5061;transport=tls`;
        const got = await answerTo(user, { callId, method: 'MESSAGE', ruri, from: OWN, headers: SECRET });
        expectNowhere('secret', datagrams.got);
        expect(statusOf(got), got).toBe(200);
        const arrived = partner.find(callId, 'MESSAGE') ?? '';
        expect(headerOf(arrived, 'Via')).toMatch(/^SIP\/2.0\/TLS/);
        expect(arrived).toContain('secret');
      },
    );

    it.skipIf(noOrders() !== undefined)(
      'ok/a request of OpenSIPS itself to the place of a partner that would go by UDP: over the proven connection',
      async () => {
        const subject = freshCallId();
        const ruri = `sip:bob@${partner.host}:5061`;
        const rows = ['From: <sip:proxy@own.example>;tag=1', `To: <${ruri}>`, `Subject: ${subject}`, ...SECRET];
        await ordered(network, 't_uac_dlg', { method: 'MESSAGE', ruri, headers: `${rows.join('\r\n')}\r\n` });
        const found = (got: readonly SipText[]) => got.find((text) => headerOf(text, 'Subject') === subject);
        await eventually('it', () => found(partner.got) ?? found(datagrams.got));
        expectNowhere('secret', datagrams.got);
        expect(headerOf(found(partner.got) ?? '', 'Via')).toMatch(/^SIP\/2.0\/TLS/);
      },
    );
  });
});

/** The program with a resolver of its own, which asks at this address. */
function resolving(build: OpensipsBuild, directory: string): OpensipsBuild {
  const program = join(directory, 'opensips');
  const mount = `mount --bind "${join(directory, 'resolv.conf')}" /etc/resolv.conf && exec "$@"`;
  writeFileSync(program, `#!/bin/sh\nexec unshare -m sh -c '${mount}' sh "${build.program}" "$@"\n`, { mode: 0o755 });
  return { ...build, program };
}

const ZONES = (host: (host: number) => string): Readonly<Record<string, string>> => ({
  'stranger.example': [
    '@ IN NAPTR 10 0 "s" "SIP+D2T" "" _sip._tcp.stranger.example.',
    '@ IN NAPTR 20 0 "s" "SIP+D2U" "" _sip._udp.stranger.example.',
    '_sip._tcp IN SRV 1 0 5999 at',
    '_sip._udp IN SRV 1 0 5060 at',
    `at IN A ${host(12)}`,
  ].join('\n'),
  'b.example': [12, 13].map((at) => `@ IN A ${host(at)}`).join('\n'),
});

describe.skipIf((BUILD === undefined ? 'no OpenSIPS' : noNameServer()) !== undefined)(
  'the next address of a name',
  () => {
    const directory = mkdtempSync(join(tmpdir(), 'siptrust-resolver-'));
    let network: OpensipsNetwork;
    let names: NameServer;
    let resolver: Socket;
    const parties: Party[] = [];
    let user: Caller;

    beforeAll(async () => {
      network = await OpensipsNetwork.start({
        build: resolving(theBuild(), directory),
        settings: { siptrust_keepalive: '1' },
        policy: (standard, host) => ({ ...standard, agreements: [placed(standard, `${host(10)}:5061`)] }),
        edit: (sample, host) => {
          writeFileSync(join(directory, 'resolv.conf'), `nameserver ${host(25)}\n`);
          return sample;
        },
      });
      names = await startNameServer(ZONES(network.host));
      // A resolver asks at port 53 alone.
      resolver = createSocket('udp4');
      resolver.on('message', (question, from) => {
        const asking = createSocket('udp4');
        asking.on('message', (answer) => {
          resolver.send(answer, from.port, from.address);
          asking.close();
        });
        asking.send(question, names.port, names.address);
      });
      resolver.bind(53, network.host(25));
      await once(resolver, 'listening');
      const identity = network.pki.certificate({ issuer: network.operatorB, names: ['DNS:stranger.example'] });
      for (const at of [12, 13]) parties.push(await Party.start(network.host(at), identity));
      user = await network.user();
    });
    afterAll(async () => {
      for (const party of parties) party.stop();
      resolver?.close();
      await names?.close();
      await network?.stop();
      rmSync(directory, { recursive: true });
    });

    const got = () => parties.flatMap((party) => party.got);

    it('fail/of another transport: what is sent there is cleaned, or nothing is', async () => {
      const callId = freshCallId();
      const text = request({ callId, method: 'MESSAGE', ruri: 'sip:x@stranger.example', from: OWN, transport: 'UDP' });
      user.send(
        text.replace(/^Contact: .*$/m, 'Contact: <sip:user@own.example>;+sip.instance="<urn:gsma:imei:secret>"'),
      );
      await user.final(callId);
      expectNowhere('secret', got());
    });

    it('fail/the partner is proven from when the first address has been asked: the next one is a stranger still', async () => {
      const callId = freshCallId();
      let proven: Party | undefined;
      for (const party of parties)
        party.answer = (text) => (proven === undefined ? [] : [answered(text, '503 Service Unavailable')]);
      const terms = { method: 'MESSAGE', ruri: 'sip:bob@b.example', from: OWN, headers: SECRET };
      const first = answerTo(user, { ...terms, callId });
      await eventually('an address is asked', () => got().some((text) => text.includes(callId)));
      const identity = network.pki.certificate({ issuer: network.operatorB, names: ['DNS:b.example'] });
      const partner = await Party.start(network.host(10), identity);
      parties.push(partner);
      await eventually('b.example is proven', () => partner.got.length > 3);
      proven = partner;
      await first;
      expect(parties.slice(0, 2).every((party) => party.find(callId, 'MESSAGE') !== undefined)).toBe(true);
      expectNowhere(
        'secret',
        parties.slice(0, 2).flatMap((party) => party.got),
      );
      const next = freshCallId();
      await answerTo(user, { ...terms, callId: next });
      expect(partner.find(next, 'MESSAGE')).toContain('secret');
    });
  },
);

function placed(standard: StandardPolicy, target: string): object {
  const certificate = standard.agreements.find(({ name }) => name === 'op-b')?.anchors[0] ?? '';
  return agreementByWords('op-b', 'b.example', { name: 'Operator B', certificate, key: '' }, { targets: [target] });
}
