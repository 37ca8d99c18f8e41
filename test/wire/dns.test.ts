import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DnsSettings } from '../../src/policy/settings/daemon-settings.js';
import { DEFAULT_SETTINGS } from '../../src/policy/settings/settings.js';
import { hopAnswer, hopListParams, hopParams, hopRow, toAbility, toQuestion } from '../../src/rpc/params/hop-params.js';
import { NextHops } from '../../src/state/hops/next-hops.js';
import { Counters } from '../../src/state/verdicts/counters.js';
import type { Agreement } from '../../src/trust/agreement/agreement.js';
import type { Snapshot } from '../../src/trust/agreement/snapshot.js';
import { type NameServer, noNameServer, startNameServer } from '../support/name-server.js';
import { agreementWith, snapshotWith } from '../support/snapshot.js';

const missing = noNameServer();
if (missing !== undefined) console.warn(`dns.test.ts is not run: ${missing}`);

const GOOD = `
@ 60 IN NAPTR 10 10 "s" "SIPS+D2T" "" _sips._tcp
@ 60 IN NAPTR 20 10 "s" "SIP+D2T" "" _sip._tcp
@ 60 IN NAPTR 30 10 "s" "SIP+D2U" "" _sip._udp
_sips._tcp 60 IN SRV 10 0 5061 sbc1
_sips._tcp 60 IN SRV 20 0 5071 sbc2
_sip._tcp 60 IN SRV 10 0 5060 sbc1
_sip._udp 60 IN SRV 10 0 5060 sbc1
sbc1 60 IN A 192.0.2.7
sbc1 60 IN AAAA 2001:db8::7
sbc2 60 IN A 192.0.2.8`;

const DOWNGRADED = GOOD.replaceAll(/^.*(?:SIPS|_sips).*$/gm, '');

const ZONES = {
  'b.example': GOOD,
  'plain.example': DOWNGRADED,
  'bare.example': '@ 60 IN A 192.0.2.9',
  'alias.example': `${GOOD.replaceAll(' sbc1', ' alias1').replace(/^sbc1.*$/gm, '')}
alias1 60 IN CNAME real1
real1 60 IN A 192.0.2.17`,
  'off.example': '_sips._tcp 60 IN SRV 0 0 0 .\n@ 60 IN A 192.0.2.10',
  'wide.example': `${GOOD}\n${Array.from({ length: 60 }, (_, at) => `_sip._udp 60 IN SRV 20 0 5060 a-host-with-a-long-name-${at}`).join('\n')}`,
  // Not to be loaded, so the server answers SERVFAIL.
  'broken.example': '@ IN CNAME elsewhere\n@ IN A 192.0.2.1',
} as const;

describe.skipIf(missing !== undefined)('next hops out of a real DNS server', () => {
  let server: NameServer;
  const open: NextHops[] = [];
  beforeAll(async () => {
    server = await startNameServer(ZONES);
  });
  afterAll(async () => {
    for (const each of open) await each.close();
    await server?.close();
  });

  function stage(agreements: readonly Partial<Agreement>[] = [], over: Partial<DnsSettings> = {}) {
    let now = Date.now();
    const errors: string[] = [];
    const quiet = () => {};
    const hops = new NextHops({
      settings: { ...DEFAULT_SETTINGS.dns, servers: [server], timeout: 1, attempts: 1, ...over },
      clock: () => now,
      log: { error: (message) => errors.push(message), warn: quiet, info: quiet, debug: quiet },
      seed: 1,
    });
    open.push(hops);
    const counters = new Counters();
    hops.start(counters);
    const snapshot: Snapshot = snapshotWith(agreements.map((each) => agreementWith({ directions: ['out'], ...each })));
    return {
      hops,
      errors,
      counters,
      snapshot,
      pass: (ms: number) => {
        now += ms;
      },
      at: (given: object) => {
        const params = hopParams.parse(given);
        return hopAnswer(hops.find(toQuestion(params), toAbility(params), snapshot));
      },
      ask: async (given: object) => {
        const params = hopParams.parse(given);
        return hopAnswer(await hops.wait(toQuestion(params), toAbility(params), () => snapshot, 20_000));
      },
    };
  }

  const cases: readonly [name: string, given: object, agreements: readonly Partial<Agreement>[], expected: object][] = [
    [
      'ok/NAPTR leads to TLS first, and nothing less secure follows',
      { uri: 'sip:alice@B.Example' },
      [{}],
      {
        status: 'ready',
        domain: 'b.example',
        tls: 'yes',
        require_tls: 0,
        agreement: 'op-b',
        targets: ['tls:192.0.2.7:5061', 'tls:[2001:db8::7]:5061', 'tls:192.0.2.8:5071'],
        target1: 'tls:192.0.2.7:5061',
        target3: 'tls:192.0.2.8:5071',
        ttl: 60,
        reason: '',
        dnssec: 0,
      },
    ],
    [
      'ok/a proxy without IPv6 gets none',
      { domain: 'b.example', families: 'ipv4' },
      [],
      { targets: ['tls:192.0.2.7:5061', 'tls:192.0.2.8:5071'], agreement: '' },
    ],
    [
      'ok/a proxy without TLS is not sent to it',
      { domain: 'b.example', transports: 'udp' },
      [],
      { tls: 'yes', targets: ['udp:192.0.2.7:5060', 'udp:[2001:db8::7]:5060'] },
    ],
    [
      'ok/no TLS on offer',
      { uri: 'sip:plain.example' },
      [],
      { status: 'ready', tls: 'no', action: 'continue', target1: 'tcp:192.0.2.7:5060' },
    ],
    [
      'fail/no TLS on offer, and it is a must (T-8)',
      { uri: 'sip:plain.example' },
      [{ domains: ['plain.example'], requireTls: true }],
      {
        status: 'failed',
        require_tls: 1,
        tls: 'no',
        action: 'reject',
        code: 503,
        targets: [],
        reason: 'tls-downgrade',
      },
    ],
    [
      'ok/a must that is only monitored',
      { uri: 'sip:plain.example' },
      [{ domains: ['plain.example'], requireTls: true, enforcement: 'monitor' }],
      { status: 'ready', require_tls: 0, action: 'continue' },
    ],
    [
      'fail/sips: and no TLS',
      { uri: 'sips:plain.example' },
      [],
      { require_tls: 1, action: 'reject', code: 503, targets: [], reason: 'tls-downgrade' },
    ],
    [
      'ok/addresses alone say nothing of TLS',
      { uri: 'sip:bare.example' },
      [],
      { status: 'ready', tls: 'unknown', targets: ['udp:192.0.2.9:5060'] },
    ],
    [
      'ok/addresses alone, and TLS is a must',
      { uri: 'sip:bare.example' },
      [{ domains: ['bare.example'], requireTls: true }],
      { status: 'ready', tls: 'yes', targets: ['tls:192.0.2.9:5061'] },
    ],
    [
      'ok/an alias within the answer; the name stays the one that was asked for',
      { uri: 'sip:alias.example', transports: 'tls' },
      [],
      { domain: 'alias.example', target1: 'tls:192.0.2.17:5061' },
    ],
    ['ok/a service that is decidedly not there', { uri: 'sip:off.example', transports: 'tls' }, [], { tls: 'no' }],
    [
      'ok/an answer that does not fit comes over TCP',
      { uri: 'sip:wide.example;transport=udp', families: 'ipv4' },
      [],
      { status: 'ready', target1: 'udp:192.0.2.7:5060', reasons: ['dns-ignored'] },
    ],
    [
      'fail/NXDOMAIN',
      { uri: 'sip:none.b.example' },
      [],
      { status: 'failed', reason: 'no-next-hop', targets: [], ttl: 60 },
    ],
    [
      'fail/SERVFAIL',
      { uri: 'sip:broken.example' },
      [],
      { status: 'failed', tls: 'unknown', reasons: ['no-next-hop', 'dns-failed'] },
    ],
    [
      'fail/a zone that the server does not have',
      { uri: 'sip:other.test' },
      [],
      { status: 'failed', reasons: ['no-next-hop', 'dns-failed'] },
    ],
    ['fail/no URI', { uri: 'tel:+4930' }, [], { status: 'failed', reason: 'bad-input', domain: '' }],
    [
      'ok/an address that no agreement names',
      { uri: 'sip:192.0.2.99:5061;transport=tls' },
      [],
      { status: 'ready', domain: '', targets: ['tls:192.0.2.99:5061'] },
    ],
    [
      'ok/an address that an agreement names stands for its domains (O-6)',
      { uri: 'sip:[2001:db8::7]:5061' },
      [{ targets: [{ address: '2001:db8::7', port: 5061 }], requireTls: true }],
      { status: 'ready', domain: 'b.example', agreement: 'op-b', require_tls: 1, targets: ['tls:[2001:db8::7]:5061'] },
    ],
    [
      'ok/targets of the agreement stand in place of DNS',
      { uri: 'sip:b.example' },
      [{ targets: [{ address: '198.51.100.1', port: 5099 }] }],
      { status: 'ready', domain: 'b.example', targets: ['tls:198.51.100.1:5099'], tls: 'yes' },
    ],
    [
      'ok/fallback where the agreement allows it (N-9)',
      { uri: 'sip:b.example', transports: 'tls,tcp', families: 'ipv4' },
      [{ allowTlsFallback: true }],
      { targets: ['tls:192.0.2.7:5061', 'tls:192.0.2.8:5071'] },
    ],
  ];
  for (const [name, given, agreements, expected] of cases) {
    test(name, async () => {
      const { ask } = stage(agreements);
      expect(await ask(given)).toMatchObject(expected);
    });
  }

  test('ok/the first answer is pending, and nobody waits for it', async () => {
    const { at, ask, counters } = stage([{}]);
    expect(at({ uri: 'sip:b.example' })).toMatchObject({
      status: 'pending',
      action: 'continue',
      reason: 'dns-pending',
    });
    await ask({ uri: 'sip:b.example' });
    const asked = counters.all()['dns.questions'];
    expect(at({ uri: 'sip:b.example' })).toMatchObject({ status: 'ready', tls: 'yes' });
    expect(counters.all()['dns.questions']).toBe(asked);
  });

  test('ok/many equal questions are asked once', async () => {
    const { ask, counters } = stage();
    await Promise.all(Array.from({ length: 50 }, () => ask({ domain: 'b.example' })));
    // NAPTR, one SRV set, and two addresses of two hosts.
    expect(counters.all()['dns.questions']).toBe(6);
  });

  test('fail/until the next hop is known nothing goes where TLS is a must', () => {
    const { at } = stage([{ requireTls: true }]);
    expect(at({ uri: 'sip:b.example' })).toMatchObject({
      status: 'pending',
      action: 'reject',
      code: 503,
      require_tls: 1,
    });
  });

  test('ok/an answer is asked again before it ends, and ends', async () => {
    const { at, ask, counters, pass } = stage();
    await ask({ domain: 'b.example' });
    const before = counters.all()['dns.questions'] ?? 0;
    pass(50_000);
    expect(at({ domain: 'b.example' })).toMatchObject({ status: 'ready', ttl: 10 });
    await expect.poll(() => counters.all()['dns.answers.records']).toBeGreaterThan(before);
    expect(at({ domain: 'b.example' })).toMatchObject({ status: 'ready', ttl: 60 });
    pass(61_000);
    expect(at({ domain: 'b.example' })).toMatchObject({ status: 'pending' });
  });

  test('fail/TLS that vanishes is an alarm, and where it is a must nothing is sent (N-11)', async () => {
    const mine = stage([{ requireTls: true }]);
    const strict = { uri: 'sip:b.example' };
    expect(await mine.ask(strict)).toMatchObject({ status: 'ready', tls: 'yes' });
    const plain = stage([{}]);
    const stranger = stage();
    for (const each of [plain, stranger]) expect(await each.ask(strict)).toMatchObject({ status: 'ready', tls: 'yes' });
    await server.write('b.example', DOWNGRADED);
    try {
      mine.pass(61_000);
      expect(await mine.ask(strict)).toMatchObject({
        action: 'reject',
        code: 503,
        reason: 'tls-downgrade',
        targets: [],
      });
      expect(mine.errors).toEqual(['alarm: tls-downgrade']);
      expect(mine.counters.all()['dns.alarms']).toBe(1);
      for (const each of [plain, stranger]) {
        each.pass(61_000);
        expect(await each.ask(strict)).toMatchObject({ action: 'continue', tls: 'no', reason: 'tls-downgrade' });
      }
      expect(plain.errors).toEqual(['alarm: tls-downgrade']);
      // Who is trusted with nothing has taken nothing away.
      expect(stranger.errors).toEqual([]);
    } finally {
      await server.write('b.example', GOOD);
    }
  });

  test('ok/the list has the partners that we may send to, fresh', async () => {
    const { hops, snapshot } = stage([
      { requireTls: true },
      { name: 'in-only', domains: ['plain.example'], directions: ['in'] },
      { name: 'off', domains: ['off.example'], enabled: false },
      { name: 'ended', domains: ['bare.example'], valid: { from: 0, until: 1 } },
      { name: 'path', domains: ['wide.example'], mechanism: 'nds-ip' },
      { name: 'carrier', domains: ['carrier.example'], targets: [{ address: '192.0.2.77', port: 5061 }] },
    ]);
    const ability = toAbility(hopListParams.parse({ families: 'ipv4' }));
    const rows = (await hops.list(200, ability, () => snapshot, 20_000)).map((hop) => hopRow(hop).line);
    expect(rows).toEqual([
      'b.example|1|tls:192.0.2.7:5061,tls:192.0.2.8:5071',
      'carrier.example|0|tls:192.0.2.77:5061',
    ]);
    expect(await hops.list(1, ability, () => snapshot, 0)).toHaveLength(1);
  });

  test('fail/a dead server delays no answer, and makes nothing TLS', async () => {
    const { at, ask } = stage([{ requireTls: true }], { servers: [{ address: '127.0.0.1', port: 9 }] });
    expect(at({ uri: 'sip:b.example' }).status).toBe('pending');
    expect(await ask({ uri: 'sip:b.example' })).toMatchObject({ status: 'failed', action: 'reject', targets: [] });
  });

  test('fail/a frozen server: what was known holds for its time, and no longer', async () => {
    const { at, ask, pass } = stage();
    await ask({ domain: 'b.example' });
    server.pause();
    try {
      pass(59_000);
      expect(at({ domain: 'b.example' }).status).toBe('ready');
      pass(2_000);
      expect(at({ domain: 'b.example' }).status).toBe('pending');
      expect(await ask({ domain: 'b.example' })).toMatchObject({ status: 'failed', targets: [] });
    } finally {
      server.resume();
    }
  });

  test('ok/a second server answers where the first is dead', async () => {
    const { ask } = stage([], { servers: [{ address: '127.0.0.1', port: 9 }, server] });
    expect(await ask({ domain: 'b.example' })).toMatchObject({ status: 'ready', tls: 'yes' });
  });
});
