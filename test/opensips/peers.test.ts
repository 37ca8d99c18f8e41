/** Who is trusted over which connection, on a real OpenSIPS with plugin/opensips as it is. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, request, resumingCaller, tlsCaller, tlsTicket, udpCaller } from '../support/live/caller.js';
import { replaced } from '../support/live/opensips.js';
import { agreementByWords, OpensipsNetwork } from '../support/live/opensips-network.js';
import { headerOf, rowsOf, statusOf } from '../support/live/sip-text.js';
import { ASSERTED, BUILD, called, theBuild } from './stage.js';

const KEPT = ['<sip:alice@a.example>'];

describe.skipIf(BUILD === undefined)('who calls', () => {
  let network: OpensipsNetwork;
  beforeAll(async () => {
    network = await OpensipsNetwork.start({
      build: theBuild(),
      edit: (script) =>
        replaced(script, [
          // A script that has a cache of its own.
          [
            'loadmodule "rr.so"\n',
            'modparam("cachedb_local", "cache_collections", "own=4")\nmodparam("cachedb_local", "cachedb_url", "local:own:///own")\nloadmodule "rr.so"\n',
          ],
          ['\t# No open relay', '\tappend_hf("X-Believed: $avp(siptrust_asserted)\\r\\n");\n\t# No open relay'],
        ]),
    });
  });
  afterAll(async () => {
    await network?.stop();
  });

  async function asserted(caller: Caller): Promise<readonly string[]> {
    const { answer, arrived } = await called(network, caller, { headers: [ASSERTED, 'X-Seen: yes'] });
    expect(statusOf(answer)).toBe(200);
    if (arrived === undefined) throw new Error('the request did not arrive');
    const kept = rowsOf(arrived, 'P-Asserted-Identity');
    expect(rowsOf(arrived, 'X-Believed')).toEqual([kept.length === 0 ? '<null>' : 'sip:alice@a.example']);
    return kept;
  }

  it('fail/what a partner may not assert: a script that asks who is asserted hears of nobody', async () => {
    const caller = await network.tls(network.certificateOfA());
    for (const headers of [
      ['P-Asserted-Identity: <sip:carol@c.example>'],
      ['P-Asserted-Identity: <sip:carol@c.example>, <tel:+15550100>'],
      [],
    ]) {
      const { arrived } = await called(network, caller, { headers });
      expect(rowsOf(arrived ?? '', 'X-Believed')).toEqual(['<null>']);
    }
  });

  it('ok/a partner that resumes its session is who it was', async () => {
    const ticket = await tlsTicket(network.address, 5061, network.certificateOfA());
    const caller = await resumingCaller(network.address, 5061, ticket);
    expect(await asserted(caller)).toEqual(KEPT);
    caller.close();
  });

  it('ok/what a partner may assert counts, too, where a plan takes something else out', async () => {
    const caller = await network.tls(network.certificateOfA());
    const { arrived } = await called(network, caller, {
      headers: [ASSERTED, 'P-Charging-Vector: icid-value=1;ggsn=x'],
    });
    expect(rowsOf(arrived ?? '', 'P-Charging-Vector')).toEqual(['icid-value=1']);
    expect(rowsOf(arrived ?? '', 'X-Believed')).toEqual(['sip:alice@a.example']);
  });

  it('ok/a partner keeps what it asserts, and is asked about once', async () => {
    const caller = await network.tls(network.certificateOfA());
    const before = network.relay.questions.length;
    for (let i = 0; i < 5; i++) expect(await asserted(caller)).toEqual(KEPT);
    expect(network.relay.questions.slice(before)).toEqual(['trust.peer']);
  });

  it('ok/within a dialog a called partner speaks as whom our user dialled, and nobody is asked about it', async () => {
    const caller = await network.tls(network.certificateOfA());
    await asserted(caller);
    const before = network.relay.questions.length;
    const within = { from: '<sip:bob@own.example>;tag=1', to: '<sip:user@own.example>;tag=2' };
    const headers = [ASSERTED, `Route: <sip:${network.address}:5061;transport=tls;lr>`];
    const ruri = `sip:user@${network.called}:5060`;
    const { arrived } = await called(network, caller, { ...within, ruri, headers });
    expect(rowsOf(arrived ?? '', 'P-Asserted-Identity')).toEqual(KEPT);
    expect(network.relay.questions.slice(before)).toEqual([]);
  });

  it.each([
    ['400', 'sip:x@a.example;a<sip:boss@own.example>;tag=1', '<sip:bob@own.example>'],
    ['400', 'sip:boss@own.example <sip:x@a.example>;tag=1', '<sip:bob@own.example>'],
    ['400', '<sip:x@a.example>;tag=1;<sip:boss@own.example>', '<sip:bob@own.example>'],
    ['400', 'sip:x@a.example;x=y@own.example;tag=1', '<sip:bob@own.example>'],
    ['403', '<sip:boss@own.example>;tag=1', 'sip:bob;tag=1@own.example'],
    ['403', '<sip:boss@own.example>;tag=1', '<sip:bob@own.example>;tag=1;tag=2'],
    ['403', '<sip:boss@own.example>;tag=1', '<sip:bob@own.example>;tag=[1]'],
  ])('fail/S-2 one of our own domains where another reader looks: %s for From: %s, To: %s', async (code, from, to) => {
    const caller = await network.tls(network.certificateOfA());
    const { answer, arrived } = await called(network, caller, { from, to });
    expect(arrived).toBeUndefined();
    expect(statusOf(answer)).toBe(Number(code));
  });

  it('ok/S-2 a tag in To that not every reader finds is made one that they do', async () => {
    const caller = await network.tls(network.certificateOfA());
    const within = { from: '<sip:bob@own.example>;tag=1', to: '<sip:user@own.example>; Tag = 2' };
    const headers = [`Route: <sip:${network.address}:5061;transport=tls;lr>`];
    const { arrived } = await called(network, caller, { ...within, ruri: `sip:user@${network.called}:5060`, headers });
    expect(rowsOf(arrived ?? '', 'To')).toEqual(['<sip:user@own.example>;tag=2']);
  });

  it('ok/a partner whose program writes each line in a TLS record of its own, as FreeSWITCH does', async () => {
    const caller = await tlsCaller(network.address, 5061, network.certificateOfA());
    const rows = Array.from({ length: 200 }, (_, i) => `X-Row-${i}: ${'x'.repeat(40)}`);
    const text = request({ method: 'MESSAGE', headers: [ASSERTED, ...rows] });
    const callId = headerOf(text, 'Call-ID') ?? '';
    await caller.sendByLine(text);
    expect(statusOf(await caller.final(callId))).toBe(200);
    expect(rowsOf(network.uas.find(callId, 'MESSAGE') ?? '', 'P-Asserted-Identity')).toEqual(KEPT);
    caller.close();
  });

  it('ok/a sip: URI in the certificate names the partner as well', async () => {
    const identity = network.certificateOfA({ names: ['URI:sip:a.example', 'DNS:edge.a.example'] });
    expect(await asserted(await network.tls(identity))).toEqual(KEPT);
  });

  const strangers: readonly (readonly [string, () => Promise<Caller>, string | undefined])[] = [
    ['another CA that OpenSIPS accepts vouches for the name', () => network.tls(byB()), 'agreement-attributes'],
    [
      'the right CA, another name',
      () => network.tls(network.certificateOfA({ names: ['DNS:x.example'] })),
      'not-listed',
    ],
    [
      'the right name, but not the first one',
      () => network.tls(network.certificateOfA({ names: ['DNS:edge.a.example', 'DNS:a.example'] })),
      'not-listed',
    ],
    ['no certificate', () => network.tls(), 'no-client-cert'],
    ['TCP', () => network.tcp(), undefined],
    ['UDP', () => network.udp(), undefined],
  ];
  const byB = () => network.pki.certificate({ issuer: network.operatorB, names: ['DNS:a.example'] });

  it.each(strangers)('fail/%s', async (_, connected, reason) => {
    const caller = await connected();
    expect(await asserted(caller)).toEqual([]);
    if (reason === undefined) return;
    const [decision] = await network.daemon.decisionsOn(caller.source);
    expect(decision?.reasons).toContain(reason);
  });

  it('fail/a CA that OpenSIPS does not know ends the handshake', async () => {
    const other = network.pki.authority('Operator X');
    const identity = network.pki.certificate({ issuer: other, names: ['DNS:a.example'] });
    // TLS 1.3 tells a client after its side of the handshake is done.
    const caller = await tlsCaller(network.address, 5061, identity).catch(() => undefined);
    await expect.poll(() => caller === undefined || caller.closed, { timeout: 15_000 }).toBe(true);
  });

  it.each(['sip:own.example', 'urn:service:sos'])('fail/REGISTER from a stranger, to %s', async (ruri) => {
    const { answer, arrived } = await called(network, await network.udp(), { method: 'REGISTER', ruri });
    expect(statusOf(answer)).toBe(403);
    expect(arrived).toBeUndefined();
  });

  it('ok/what comes from inside is not looked at', async () => {
    const user = await network.user();
    const before = network.relay.questions.length;
    const ruri = `sip:bob@${network.called}`;
    const { arrived } = await called(network, user, { ruri, transport: 'UDP' });
    expect(rowsOf(arrived ?? '', 'P-Asserted-Identity')).toEqual(KEPT);
    expect(rowsOf(arrived ?? '', 'X-Believed')).toEqual(['sip:alice@a.example']);
    expect(network.relay.questions.length).toBe(before);
  });

  it('fail/another address on the inside socket is outside', async () => {
    const caller = await udpCaller(network.inside, 5060, network.host(20));
    expect(await asserted(caller)).toEqual([]);
    caller.close();
  });

  it('fail/a partner may not assert for others, and a certificate of nobody else helps', async () => {
    const caller = await network.tls(network.certificateOfA());
    const { arrived } = await called(network, caller, { headers: ['P-Asserted-Identity: <sip:ceo@own.example>'] });
    expect(rowsOf(arrived ?? '', 'P-Asserted-Identity')).toEqual([]);
  });

  it('fail/an agreement that is withdrawn counts on the next message of a connection that is up', async () => {
    const caller = await network.tls(network.certificateOfA());
    expect(await asserted(caller)).toEqual(KEPT);
    await network.daemon.reload({
      own_domains: ['own.example'],
      agreements: [agreementByWords('op-b', 'b.example', network.operatorB)],
    });
    await network.polled();
    expect(await asserted(caller)).toEqual([]);
    await network.daemon.reload(network.standardPolicy);
    await network.polled();
    expect(await asserted(caller)).toEqual(KEPT);
  });

  it('fail/a connection that has outlived its certificate', async () => {
    await network.daemon.reload({ ...network.standardPolicy, defaults: { skew: 0 } });
    await network.polled();
    const caller = await network.tls(network.certificateOfA({ until: 15 / 86_400 }));
    expect(await asserted(caller)).toEqual(KEPT);
    await expect.poll(() => asserted(caller), { interval: 1000, timeout: 40_000 }).toEqual([]);
    await network.daemon.decisionsOn(caller.source, ({ reasons }) => [reasons].flat().includes('cert-time'));
    await network.daemon.reload(network.standardPolicy);
  });

  it('fail/a stranger from the address and port of a partner that has hung up', async () => {
    const partner = await network.tls(network.certificateOfA());
    expect(await asserted(partner)).toEqual(KEPT);
    const [address = '', port = ''] = partner.source.split(':');
    partner.close();
    const stranger = await network.tls(undefined, { address, port: Number(port) });
    expect(stranger.source).toBe(`${address}:${port}`);
    expect(await asserted(stranger)).toEqual([]);
  });
});
