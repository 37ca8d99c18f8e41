/** siptrustd, its state file and a real DNS server: what a routing script gets to hear, also after a restart. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { callUnix } from '../../src/rpc/wire/client.js';
import { ext, leaf, root } from '../support/certificates.js';
import { siptrustctl } from '../support/command-line.js';
import { SIPTRUSTD } from '../support/compiled.js';
import { tlsWords } from '../support/evidence.js';
import { Child } from '../support/live/child.js';
import { eventually } from '../support/live/places.js';
import { type NameServer, noNameServer, startNameServer } from '../support/name-server.js';

const missing = noNameServer();
if (missing !== undefined) console.warn(`hops.test.ts is not run: ${missing}`);

const directory = mkdtempSync(join(tmpdir(), 'siptrust-hops-'));
const file = (name: string) => join(directory, name);

const now = Date.now();
const times = { notBefore: now - 86_400_000, notAfter: now + 86_400_000 };
const authority = root(times);
const altNames = ext.altNames([{ dns: 'b.example' }]);
const peer = leaf(authority, { ...times, extensions: { altNames } });

const PLAIN = '@ 5 IN NAPTR 20 10 "s" "SIP+D2U" "" _sip._udp\n_sip._udp 5 IN SRV 10 0 5060 sbc\nsbc 5 IN A 192.0.2.7';
const TLS = `${PLAIN}\n@ 5 IN NAPTR 10 10 "s" "SIPS+D2T" "" _sips._tcp\n_sips._tcp 5 IN SRV 10 0 5061 sbc`;

type Answer = Readonly<Record<string, unknown>>;
const ask = (method: string, params: unknown = {}) => callUnix(file('ctl.sock'), method, params) as Promise<Answer>;
const resolve = (uri: string) => ask('hop.resolve', { uri_b64: Buffer.from(uri).toString('base64'), wait_ms: '1000' });

function writePolicy(server: NameServer, more: object = {}): void {
  const agreement = { name: 'op-b', domains: ['b.example'], mechanism: 'tls', anchors: ['ca.pem'], revocation: 'off' };
  const policy = {
    own_domains: ['a.example'],
    agreements: [{ ...agreement, ...more }],
    daemon: {
      listen: { netstring: 'off', http: 'off', unix: 'ctl.sock' },
      state: { file: 'state/state.db' },
      dns: { servers: [server.text], timeout: 1, attempts: 1 },
    },
  };
  writeFileSync(file('siptrust.yaml'), stringify(policy));
}

async function start(): Promise<Child> {
  const daemon = new Child('node', [SIPTRUSTD, '--config', file('siptrust.yaml')]);
  await eventually('siptrustd is ready', () => daemon.ended || daemon.output.includes('siptrustd is ready'), 20_000);
  expect(daemon.ended, daemon.output).toBe(false);
  return daemon;
}

describe.skipIf(missing !== undefined)('next hops of a daemon', () => {
  let server: NameServer;
  let daemon: Child;
  beforeAll(async () => {
    server = await startNameServer({ 'b.example': TLS });
    writeFileSync(file('ca.pem'), authority.pem);
    writePolicy(server);
    daemon = await start();
  });
  afterAll(async () => {
    await daemon?.stop();
    await server?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  test('ok/a URI in base64 leads to the target and the name that the certificate must bear', async () => {
    expect(await resolve('sip:+4930@b.example;user=phone')).toMatchObject({
      ...{ status: 'ready', domain: 'b.example', agreement: 'op-b', tls: 'yes', require_tls: 0, action: 'continue' },
      ...{ targets: ['tls:192.0.2.7:5061'], target1: 'tls:192.0.2.7:5061', target2: '' },
    });
    const { hops, count } = await ask('hop.list', { limit: 10 });
    expect([count, (hops as Answer[])[0]?.line]).toEqual([1, 'b.example|0|tls:192.0.2.7:5061']);
  });

  test('ok/siptrustctl asks the same', async () => {
    const { code, output } = await siptrustctl(['--socket', file('ctl.sock'), 'hop', 'resolve', 'sip:b.example']);
    expect(code).toBe(0);
    expect(output).toMatch(/^target1: +tls:192\.0\.2\.7:5061$/m);
    const { output: known } = await siptrustctl(['--socket', file('ctl.sock'), 'hop', 'list']);
    expect(known).toMatch(/^b\.example +op-b +ready +yes +tls:192\.0\.2\.7:5061$/m);
    const answers = {
      ...{
        'b.example': 'tls:192.0.2.7:5061',
        '192.0.2.9': 'udp:192.0.2.9:5060',
        '192.0.2.9:5070': 'udp:192.0.2.9:5070',
      },
      ...{ '2001:db8::9': 'udp:[2001:db8::9]:5060', '[2001:db8::9]:5070': 'udp:[2001:db8::9]:5070' },
    };
    for (const [text, target] of Object.entries(answers)) {
      const answer = await siptrustctl(['--socket', file('ctl.sock'), 'hop', 'resolve', text]);
      expect([text, answer]).toEqual([
        text,
        expect.objectContaining({ code: 0, output: expect.stringContaining(target) }),
      ]);
    }
  });

  test('fail/siptrustctl ends with 1 where there is no next hop', async () => {
    for (const text of ['https://b.example', 'tel:+4930', 'sip:']) {
      const { code, output } = await siptrustctl(['--socket', file('ctl.sock'), 'hop', 'resolve', text]);
      expect([text, code, output]).toEqual([text, 1, expect.stringMatching(/^status: +failed$/m)]);
    }
  });

  test('ok/DNS answers can be forgotten', async () => {
    await resolve('sip:b.example');
    expect(await ask('cache.stats')).toMatchObject({ dns: { entries: expect.any(Number) } });
    expect(Number((await ask('cache.flush')).dns)).toBeGreaterThan(0);
    expect(await ask('hop.resolve', { domain: 'b.example' })).toMatchObject({ status: 'pending' });
  });

  test('fail/params that make no question', async () => {
    for (const params of [{}, { uri: 'sip:b.example', domain: 'b.example' }, { domain: 'b.example', wait_ms: 1001 }]) {
      await expect(ask('hop.resolve', params)).rejects.toThrow();
    }
    await expect(ask('hop.resolve', { domain: 'b.example', transports: 'tls,smoke' })).rejects.toThrow();
  });

  test('fail/a frozen DNS server delays neither next hops nor verdicts', async () => {
    server.pause();
    try {
      // Who waited for the server would hear that it failed.
      expect(await ask('hop.resolve', { uri: 'sip:never.asked.example' })).toMatchObject({ status: 'pending' });
      expect(await ask('trust.peer', { direction: 'in', proto: 'udp', src_ip: '192.0.2.1' })).toMatchObject({
        trusted: 0,
      });
    } finally {
      server.resume();
    }
  });

  test('fail/TLS that vanished while the daemon was off is an alarm all the same (N-11)', async () => {
    await eventually('the offer is remembered', async () => (await resolve('sip:b.example')).tls === 'yes');
    await daemon.stop();
    await server.write('b.example', PLAIN);
    daemon = await start();
    expect(await resolve('sip:b.example')).toMatchObject({
      ...{ status: 'ready', tls: 'no', reason: 'tls-downgrade', targets: ['udp:192.0.2.7:5060'], action: 'continue' },
    });
    expect(daemon.output).toContain('alarm: tls-downgrade');
    expect(await ask('stats.fetch')).toMatchObject({ 'dns.alarms': 1, 'reason.tls-downgrade': 1 });
  });

  test('fail/where the agreement wants TLS nothing goes without (T-8)', async () => {
    writePolicy(server, { require_tls: true });
    await ask('agreement.reload');
    const refused = {
      status: 'failed',
      require_tls: 1,
      action: 'reject',
      code: 503,
      reason: 'tls-downgrade',
      targets: [],
    };
    expect(await resolve('sip:b.example')).toMatchObject(refused);
    expect(await resolve('sip:b.example;transport=udp')).toMatchObject({ ...refused, tls: 'yes' });
  });

  test('ok/static targets stand for the domains, for verdicts too (O-6)', async () => {
    writePolicy(server, { require_tls: true, targets: ['192.0.2.9:5061'] });
    await ask('agreement.reload');
    expect(await resolve('sip:b.example')).toMatchObject({ status: 'ready', targets: ['tls:192.0.2.9:5061'] });
    expect(await resolve('sip:192.0.2.9:5061;transport=tls')).toMatchObject({ domain: 'b.example', require_tls: 1 });
    const tls = tlsWords(peer.pem);
    const evidence = { direction: 'out', proto: 'tls', src_ip: '192.0.2.9', src_port: 5061, tls };
    const judged = (next_hop: string) => ask('trust.peer', { ...evidence, next_hop });
    expect(await judged('sip:192.0.2.9:5061')).toMatchObject({ verdict: 'trusted', domains: ['b.example'] });
    expect(await judged('sip:192.0.2.10:5061')).toMatchObject({ verdict: 'untrusted', reason: 'ip-literal' });
  });
});
