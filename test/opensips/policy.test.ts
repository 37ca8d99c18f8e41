/** The policy as an OpenSIPS hears of it, paths of NDS/IP, and plans for answers to callers that are trusted. */

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, udpCaller } from '../support/live/caller.js';
import { agreementByWords, OpensipsNetwork } from '../support/live/opensips-network.js';
import { eventually } from '../support/live/places.js';
import { rowsOf, statusOf } from '../support/live/sip-text.js';
import { ASSERTED, BUILD, called, noOrders, ordered, takingOrders, theBuild } from './stage.js';

const KEPT = ['<sip:alice@a.example>'];

async function asserted(network: OpensipsNetwork, caller: Caller, transport = 'TLS'): Promise<readonly string[]> {
  const { answer, arrived } = await called(network, caller, { headers: [ASSERTED], transport });
  expect(statusOf(answer)).toBe(200);
  if (arrived === undefined) throw new Error('the request did not arrive');
  return rowsOf(arrived, 'P-Asserted-Identity');
}

describe.skipIf(noOrders() !== undefined)('the revision of the policy', () => {
  let network: OpensipsNetwork;
  beforeAll(async () => {
    network = await OpensipsNetwork.start({
      build: theBuild(),
      edit: takingOrders,
    });
  });
  afterAll(() => network?.stop());

  const set = async (name: string, value: number) => {
    const answer = await ordered(network, 'shv_set', { name, type: 'int', value });
    expect(JSON.parse(answer)).toMatchObject({ result: 'OK' });
  };
  const pushed = (revision: number) => set('siptrust_revision', revision);

  it('ok/a clock that was set back: the places of partners are asked for at once, and not as much later', async () => {
    const before = network.relay.count('hop.list');
    await set('siptrust_primed', Math.floor(Date.now() / 1000) + 7_200);
    await eventually('they are asked for', () => network.relay.count('hop.list') > before);
  });

  it('ok/a clock that was set back: a verdict of later than now is asked for again', async () => {
    const source = { address: network.host(9), port: 40_009 };
    const caller = await network.tls(network.certificateOfA(), source);
    expect(await asserted(network, caller)).toEqual(KEPT);
    const attr = `siptrust:c:tls:${source.address}:${source.port}:${network.address}:5061`;
    const { result } = JSON.parse(await ordered(network, 'cache_fetch', { system: 'local', attr })) as {
      result: { value: string };
    };
    const value = result.value.replace(/[0-9]{10}(?=;|$)/g, (time) => `${Number(time) + 7_200}`);
    const { revision } = (await network.daemon.call('core.status')) as { revision: number };
    const of = value.replace(/^[0-9]+/, `${revision}`);
    await ordered(network, 'cache_store', { system: 'local', attr, value: of });
    const before = network.relay.count('trust.peer');
    expect(await asserted(network, caller)).toEqual(KEPT);
    expect(network.relay.count('trust.peer')).toBe(before + 1);
  });

  it('fail/a clock that was set back while siptrustd is away: who is known counts no longer than the grace', async () => {
    const caller = await network.tls(network.certificateOfA());
    expect(await asserted(network, caller)).toEqual(KEPT);
    network.relay.tamper = () => 'garbage';
    await eventually('nobody answers', async () =>
      /"value": *1\b/.test(await ordered(network, 'shv_get', { name: 'siptrust_down' })),
    );
    await set('siptrust_heard', Math.floor(Date.now() / 1000) + 7_200);
    expect(await asserted(network, caller)).toEqual([]);
    network.relay.tamper = () => undefined;
    await network.polled();
    expect(await asserted(network, caller)).toEqual(KEPT);
  });

  it('ok/pushed by MI it counts at once, and costs one question', async () => {
    const caller = await network.tls(network.certificateOfA());
    expect(await asserted(network, caller)).toEqual(KEPT);
    // The poll hears of nothing new, as if it were yet to come.
    const { revision: old } = (await network.daemon.call('core.status')) as { revision: number };
    network.relay.tamper = (method, text) => {
      if (method !== 'core.status' || text === '') return undefined;
      const answer = JSON.parse(text) as { result: object };
      return JSON.stringify({ ...answer, result: { ...answer.result, revision: old } });
    };
    await network.daemon.reload({
      own_domains: ['own.example'],
      agreements: [agreementByWords('op-b', 'b.example', network.operatorB)],
    });
    expect(await asserted(network, caller)).toEqual(KEPT);
    const { revision } = (await network.daemon.call('core.status')) as { revision: number };
    expect(revision).toBeGreaterThan(old);
    // A poll that ends between what is pushed and the message would say the old one again: none ends.
    network.relay.tamper = (method) => (method === 'core.status' ? 'none' : undefined);
    const polls = network.relay.count('core.status');
    await eventually('a poll waits', () => network.relay.count('core.status') > polls);
    const before = network.relay.count('trust.peer');
    await pushed(revision);
    expect(await asserted(network, caller)).toEqual([]);
    expect(network.relay.count('trust.peer')).toBe(before + 1);
    network.relay.tamper = () => undefined;
    await network.daemon.reload(network.standardPolicy);
    await network.polled();
    expect(await asserted(network, caller)).toEqual(KEPT);
  });
});

describe.skipIf(BUILD === undefined)('an NDS/IP socket', () => {
  let network: OpensipsNetwork | undefined;
  afterEach(async () => {
    await network?.stop();
    network = undefined;
  });

  async function started(more: object, sources: (host: (host: number) => string) => string): Promise<OpensipsNetwork> {
    network = await OpensipsNetwork.start({
      build: theBuild(),
      settings: (host) => ({ siptrust_nds_sockets: `"|udp:${host(2)}:5060|"` }),
      policy: (standard, host) => ({
        ...standard,
        interfaces: [{ name: 'za', listen: `${host(2)}:5060`, mechanism: 'nds-ip', implicit_trust: true, ...more }],
        agreements: [
          { name: 'op-n', domains: ['a.example'], mechanism: 'nds-ip', interface: 'za', sources: [sources(host)] },
        ],
      }),
    });
    return network;
  }

  it('ok/the source prefix stands for the peer, one question for each source', async () => {
    const stage = await started({ shared: false }, (host) => `${host(40)}/31`);
    const inside = await udpCaller(stage.address, 5060, stage.host(40));
    const outside = await udpCaller(stage.address, 5060, stage.host(42));
    const before = stage.relay.questions.length;
    for (let i = 0; i < 3; i++) {
      expect(await asserted(stage, inside, 'UDP')).toEqual(KEPT);
      expect(await asserted(stage, outside, 'UDP')).toEqual([]);
    }
    expect(stage.relay.questions.slice(before)).toEqual(['trust.peer', 'trust.peer']);
    // The same source over a socket that is no such interface.
    expect(await asserted(stage, await stage.tcp(), 'TCP')).toEqual([]);
    expect((await stage.daemon.decisionsOn(outside.source))[0]?.reasons).toContain('nds-range');
    inside.close();
    outside.close();
  });

  it('ok/where strangers reach it, too, the port that the gateway writes stands for the path', async () => {
    const stage = await started({ source_ports: [5062] }, (host) => `${host(40)}/32`);
    const rogue = await udpCaller(stage.address, 5060, stage.host(40), 5060);
    const peer = await udpCaller(stage.address, 5060, stage.host(40), 5062);
    const before = stage.relay.questions.length;
    for (let i = 0; i < 3; i++) {
      expect(await asserted(stage, rogue, 'UDP')).toEqual([]);
      expect(await asserted(stage, peer, 'UDP')).toEqual(KEPT);
    }
    expect(stage.relay.questions.slice(before)).toEqual(['trust.peer', 'trust.peer']);
    expect((await stage.daemon.decisionsOn(rogue.source))[0]?.reasons).toEqual(['nds-port']);
    rogue.close();
    peer.close();
  });
});

describe.skipIf(BUILD === undefined)('answers to callers', () => {
  const KEYS = 'Authentication-Info: nextnonce="n",ck="secret",ik="secret"';
  let network: OpensipsNetwork;
  beforeAll(async () => {
    network = await OpensipsNetwork.start({ build: theBuild() });
  });
  afterAll(() => network?.stop());

  it('ok/a trusted caller sees what a plan leaves of an answer', async () => {
    network.uas.options = { provisional: [], extra: ['Server: kept', KEYS] };
    const { answer } = await called(network, await network.tls(network.certificateOfA()), { method: 'INVITE' });
    expect(statusOf(answer)).toBe(200);
    expect(answer).not.toContain('secret');
    expect(rowsOf(answer, 'Authentication-Info')).toEqual(['nextnonce="n"']);
    expect(rowsOf(answer, 'Server')).toEqual(['kept']);
    expect(network.relay.questions).toContain('trust.message');
  });

  it('ok/and the identity of who answers; a stranger sees neither', async () => {
    network.uas.options = { provisional: [], extra: ['P-Asserted-Identity: <sip:bob@own.example>', 'Server: kept'] };
    const known = await network.tls(network.certificateOfA());
    const unknown = await network.tls(network.certificateOfA({ names: ['DNS:x.example'] }));
    const seen = async (caller: Caller) => {
      const { answer } = await called(network, caller, { method: 'INVITE' });
      expect(statusOf(answer)).toBe(200);
      expect(rowsOf(answer, 'Server')).toEqual(['kept']);
      return rowsOf(answer, 'P-Asserted-Identity');
    };
    expect(await seen(known)).toEqual(['<sip:bob@own.example>']);
    expect(await seen(unknown)).toEqual([]);
    for (const caller of [await network.tcp(), await network.udp()]) expect(await seen(caller)).toEqual([]);
  });

  it('fail/siptrustd does not answer: no key leaves, whoever has called', async () => {
    const known = await network.tls(network.certificateOfA());
    network.uas.options = {};
    expect(await asserted(network, known)).toEqual(KEPT);
    network.relay.tamper = () => 'none';
    network.uas.options = { provisional: [], extra: ['Server: kept', KEYS] };
    const { answer } = await called(network, known, { method: 'INVITE' });
    expect(statusOf(answer)).toBe(200);
    expect(answer).not.toContain('secret');
    network.relay.tamper = () => undefined;
    await network.polled();
  });
});
