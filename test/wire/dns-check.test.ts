import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ext, leaf, root } from '../support/certificates.js';
import { siptrustctl } from '../support/command-line.js';
import { type NameServer, noNameServer, startNameServer, zoneText } from '../support/name-server.js';

const missing = noNameServer();
if (missing !== undefined) console.warn(`dns-check.test.ts is not run: ${missing}`);

async function ctl(...args: string[]) {
  const { code, output, error } = await siptrustctl(args);
  const rows = (): { rule: string; severity: string; text: string }[] => JSON.parse(output);
  return { code, text: output, error, rows };
}

const directory = mkdtempSync(join(tmpdir(), 'siptrust-dns-check-'));
const now = Date.now();
const times = { notBefore: now - 86_400_000, notAfter: now + 86_400_000 };
const authority = root(times);
const named = (domain: string) =>
  leaf(authority, { ...times, extensions: { altNames: ext.altNames([{ dns: domain }]) } });
const right = named('good.example');
const wrong = named('other.example');
const ended = leaf(authority, {
  ...{ notBefore: now - 2 * 86_400_000, notAfter: now - 86_400_000 },
  extensions: { altNames: ext.altNames([{ dns: 'good.example' }]) },
});

const naptr = (order: number, preference: number, service: string, owner: string, flag = 's') =>
  `@ IN NAPTR ${order} ${preference} "${flag}" "${service}" "" ${owner}`;
const SRV = '_sips._tcp IN SRV 10 0 5061 sbc\n_sip._tcp IN SRV 10 0 5060 sbc\n_sip._udp IN SRV 10 0 5060 sbc';
const SBC = 'sbc IN A 127.0.0.1';
const TLS = naptr(10, 10, 'SIPS+D2T', '_sips._tcp');
const TCP = naptr(20, 10, 'SIP+D2T', '_sip._tcp');
const UDP = naptr(30, 10, 'SIP+D2U', '_sip._udp');
const zone = (...lines: string[]) => lines.join('\n');

const suggested = () =>
  ctl(
    ...'dns suggest our.example --target sbc1.our.example --target sbc2.our.example:5071'.split(' '),
    ...'--address sbc1.our.example=192.0.2.1 --address sbc1.our.example=2001:db8::1 --address sbc2.our.example=192.0.2.2'.split(
      ' ',
    ),
  );

/** Zone records, and the rules that `dns check` finds broken. */
const CASES: Readonly<Record<string, readonly [records: string, rules: readonly string[]]>> = {
  'good.example': [zone(TLS, TCP, UDP, SRV, SBC), []],
  'bare.example': [zone('@ IN A 127.0.0.1'), ['error no-naptr']],
  'plain.example': [
    zone(TCP, UDP, '_sip._tcp IN SRV 10 0 5060 sbc\n_sip._udp IN SRV 10 0 5060 sbc', SBC),
    ['error no-sips'],
  ],
  'sipsudp.example': [zone(TLS, TCP, UDP, naptr(5, 10, 'SIPS+D2U', '_sips._udp'), SRV, SBC), ['error sips-udp']],
  'last.example': [zone(naptr(40, 10, 'SIPS+D2T', '_sips._tcp'), TCP, UDP, SRV, SBC), ['error tls-not-first']],
  'equal.example': [zone(naptr(20, 5, 'SIPS+D2T', '_sips._tcp'), TCP, UDP, SRV, SBC), ['warning tls-by-preference']],
  'even.example': [zone(naptr(20, 10, 'SIPS+D2T', '_sips._tcp'), TCP, UDP, SRV, SBC), ['error tls-not-first']],
  'few.example': [zone(TLS, '_sips._tcp IN SRV 10 0 5061 sbc', SBC), ['warning no-tcp', 'warning no-udp']],
  'flag.example': [zone(TLS, TCP, UDP, naptr(5, 10, 'SIP+D2S', '_sip._sctp', 'u'), SRV, SBC), ['error naptr-form']],
  'nosrv.example': [
    zone(TLS, TCP, UDP, '_sip._tcp IN SRV 10 0 5060 sbc\n_sip._udp IN SRV 10 0 5060 sbc', SBC),
    ['error no-srv'],
  ],
  'off.example': [zone(TLS, TCP, UDP, SRV.replace('10 0 5061 sbc', '0 0 0 .'), SBC), ['error srv-off']],
  'alias.example': [zone(TLS, TCP, UDP, SRV, 'sbc IN CNAME real\nreal IN A 127.0.0.1'), ['error srv-alias']],
  'shared.example': [zone(TLS, TCP, UDP, SRV.replaceAll('5061', '5060'), SBC), ['error port-shared']],
  'lost.example': [zone(TLS, TCP, UDP, SRV), ['error no-address']],
  'moved.example': [
    zone(naptr(10, 10, 'SIPS+D2T', 'tls.moved.example.'), TCP, UDP, SRV.replace('_sips._tcp', 'tls'), SBC),
    ['warning other-srv'],
  ],
  'carrier.example': [zone(TLS, TCP, UDP, SRV.replaceAll(' sbc', ' sbc.good.example.')), ['info target-elsewhere']],
};

describe.skipIf(missing !== undefined)('siptrustctl dns, with a real DNS server', () => {
  let server: NameServer;
  const tls = new Map<string, Server>();
  const ports = new Map<string, number>();

  beforeAll(async () => {
    for (const [name, { pem, key }] of Object.entries({ right, wrong })) {
      const listener = createServer(
        { cert: pem, key: key.privateKey.export({ type: 'pkcs8', format: 'pem' }) },
        () => {},
      );
      listener.on('tlsClientError', () => {});
      await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
      tls.set(name, listener);
      ports.set(name, (listener.address() as AddressInfo).port);
    }
    const { text } = await suggested();
    const live = (name: string, port: number | undefined) =>
      zone(TLS, TCP, UDP, SRV.replace('5061', String(port)), SBC, `; ${name}`);
    server = await startNameServer({
      ...Object.fromEntries(Object.entries(CASES).map(([name, [records]]) => [name, records])),
      'our.example': text,
      'good.example': live('right', ports.get('right')),
      'live-wrong.example': live('wrong', ports.get('wrong')),
      'live-dead.example': live('dead', 1),
    });
  });
  afterAll(async () => {
    for (const each of tls.values()) each.close();
    await server?.close();
    rmSync(directory, { recursive: true });
  });

  const check = (domain: string, ...more: string[]) =>
    ctl('--json', 'dns', 'check', domain, '--server', server.text, ...more);
  const told = (rows: readonly { rule: string; severity: string }[]) =>
    rows.map(({ rule, severity }) => `${severity} ${rule}`);

  for (const [domain, [, rules]] of Object.entries(CASES)) {
    test(`${rules.length === 0 ? 'ok' : 'fail'}/${domain}: ${rules.join(', ') || 'nothing is wrong'}`, async () => {
      const { rows, code } = await check(domain);
      expect(told(rows())).toEqual(rules);
      expect(code).toBe(rules.some((rule) => rule.startsWith('error')) ? 1 : 0);
    });
  }

  test('fail/a zone that the server does not have', async () => {
    const { rows, code } = await check('unknown.test');
    expect(new Set(told(rows()))).toEqual(new Set(['error dns-failed']));
    expect(code).toBe(1);
  });

  test('ok/what dns suggest writes loads in bind9 and passes dns check', async () => {
    const { text } = await suggested();
    const file = join(directory, 'our.zone');
    writeFileSync(file, zoneText('our.example', text));
    expect(execFileSync('named-checkzone', ['our.example', file], { encoding: 'utf8' })).toMatch(/OK\s*$/);
    const { rows, code } = await check('our.example');
    expect(rows()).toEqual([]);
    expect(code).toBe(0);
  });

  test('ok/a host of another domain gets no addresses', async () => {
    const { text } = await ctl('dns', 'suggest', 'our.example', '--target', 'sbc.carrier.example');
    expect(text).toContain('; sbc.carrier.example lies outside our.example');
    expect(text).not.toMatch(/ IN A+ /);
  });

  const refused: readonly [string, string[]][] = [
    ['no address', ['our.example', '--target', 'sbc.our.example']],
    ['the port of TCP', ['our.example', '--target', 'sbc.carrier.example:5060']],
    ['no domain', ['192.0.2.1', '--target', 'sbc.our.example']],
    ['no host', ['our.example', '--target', '192.0.2.1']],
    ['an address of nobody', ['our.example', '--target', 'a.our.example', '--address', 'b.our.example=192.0.2.1']],
    ['no IP address', ['our.example', '--target', 'a.our.example', '--address', 'x']],
  ];
  for (const [name, args] of refused) {
    test(`fail/suggest: ${name}`, async () => {
      const { code, error } = await ctl('dns', 'suggest', ...args);
      expect(error).toMatch(/expected .* found/);
      expect(code).toBe(2);
    });
  }

  const certificates: readonly [string, string, readonly string[]][] = [
    ['ok/the right name', right.pem, []],
    ['fail/another name', wrong.pem, ['error certificate-name']],
    ['fail/a certificate that has ended', ended.pem, ['error certificate-time']],
  ];
  for (const [name, pem, rules] of certificates) {
    test(`${name} in the certificate of --cert`, async () => {
      const file = join(directory, 'given.pem');
      writeFileSync(file, pem);
      expect(told((await check('good.example', '--cert', file)).rows())).toEqual(rules);
    });
  }

  const live: readonly [string, string, readonly string[]][] = [
    ['ok/the right name', 'good.example', []],
    ['fail/another name', 'live-wrong.example', ['error certificate-name']],
    ['fail/nobody is there', 'live-dead.example', ['error no-tls']],
  ];
  for (const [name, domain, rules] of live) {
    test(`${name} in the certificate that a target shows`, async () => {
      const { rows } = await check(domain, '--connect');
      expect(told(rows()).filter((row) => !row.startsWith('info'))).toEqual(rules);
    });
  }
});
