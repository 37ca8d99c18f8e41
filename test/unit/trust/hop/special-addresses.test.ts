/** `daemon.dns.strangers: public`: neither a stranger's DNS nor a Request-URI leads into our own networks. */

import { describe, expect, test } from 'vitest';
import { type AddressPrefix, parsePrefix } from '../../../../src/net/address/index.js';
import type { DnsAnswers } from '../../../../src/net/dns/index.js';
import type { Agreement } from '../../../../src/trust/agreement/index.js';
import { questionOfUri } from '../../../../src/trust/evidence/index.js';
import { findHop, type HopOptions } from '../../../../src/trust/hop/index.js';
import { NOW } from '../../../support/certificates.js';
import { agreementWith, snapshotWith } from '../../../support/snapshot.js';

function prefixes(...texts: readonly string[]): readonly AddressPrefix[] {
  return texts.map((text) => {
    const prefix = parsePrefix(text);
    if ('invalid' in prefix) throw new Error(prefix.invalid);
    return prefix;
  });
}

const none = { kind: 'none', ttl: 60, authentic: false } as const;

/** A zone of addresses alone. */
function zone(addresses: readonly string[]): DnsAnswers {
  const [ipv4, ipv6] = [
    addresses.filter((text) => !text.includes(':')),
    addresses.filter((text) => text.includes(':')),
  ];
  const records = (found: readonly string[]) =>
    found.length === 0 ? none : ({ kind: 'records', records: found, ttl: 60, authentic: false } as const);
  const services = ['_sips._tcp', '_sip._tcp', '_sip._udp'].map((name) => [`${name}.b.example`, none] as const);
  return {
    A: new Map([['b.example', records(ipv4)]]),
    AAAA: new Map([['b.example', records(ipv6)]]),
    NAPTR: new Map([['b.example', none]]),
    SRV: new Map(services),
  };
}

function found(
  uri: string,
  addresses: readonly string[],
  { agreements = [], allowed = [] }: { agreements?: readonly Agreement[]; allowed?: readonly string[] } = {},
  setting: Partial<HopOptions> = { specialAddresses: prefixes(...allowed) },
  answers = zone(addresses),
) {
  const options = {
    transports: ['tls', 'tcp', 'udp'],
    families: ['A', 'AAAA'],
    seed: 0,
    tlsSeen: () => false,
  } as const;
  return findHop(questionOfUri(uri), snapshotWith(agreements), NOW, answers, { ...options, ...setting });
}

const REFUSED = { status: 'failed', action: 'reject', code: 403, phrase: 'Next Hop Address Refused', targets: [] };

describe('a next hop that no agreement stands for', () => {
  test.each([
    ['10.0.0.7', 'private'],
    ['172.16.0.7', 'private'],
    ['192.168.0.7', 'private'],
    ['100.64.0.7', 'shared'],
    ['127.0.0.1', 'loopback'],
    ['169.254.169.254', 'link-local'],
    ['::1', 'loopback'],
    ['fe80::7', 'link-local'],
    ['fd00::7', 'private'],
    ['::ffff:10.0.0.7', 'private'],
    ['64:ff9b::a00:7', 'translated IPv4'],
    ['2002:a00:7::1', '6to4'],
    ['::ffff:0:10.0.0.7', 'reserved'],
    ['5f00::7', 'reserved'],
    ['9000::7', 'reserved'],
  ])('fail/%s (%s), by DNS and by URI', (address, kind) => {
    const byName = found('sip:alice@b.example', [address]);
    expect(byName).toMatchObject(REFUSED);
    expect(byName.findings[0]).toMatchObject({
      code: 'no-next-hop',
      detail: expect.stringContaining(`a ${kind} address`),
    });
    expect(found(`sip:alice@${address.includes(':') ? `[${address}]` : address}:5060`, [])).toMatchObject(REFUSED);
  });
  test('fail/one such address among several, wherever it stands', () => {
    expect(found('sip:b.example', ['8.8.8.8', '10.0.0.7'])).toMatchObject(REFUSED);
    expect(found('sip:b.example', ['8.8.8.8', 'fd00::7'])).toMatchObject(REFUSED);
  });
  test.each(['8.8.8.8', '2001:4860::7'])('ok/%s', (address) => {
    expect(found('sip:b.example', [address])).toMatchObject({ status: 'ready', action: 'continue' });
  });
  test('ok/one that the policy lists', () => {
    const allowed = ['10.1.0.0/16', '64:ff9b::/96'];
    expect(found('sip:b.example', ['10.1.0.7', '64:ff9b::7'], { allowed })).toMatchObject({ action: 'continue' });
    expect(found('sip:b.example', ['10.2.0.7'], { allowed })).toMatchObject(REFUSED);
  });
  test('ok/any address where the policy does not ask', () => {
    expect(found('sip:b.example', ['10.0.0.7'], {}, {})).toMatchObject({ status: 'ready', action: 'continue' });
  });
  test('ok/an agreement in force stands for it; fail/one that has ended does not', () => {
    const agreed = (over: Partial<Agreement>) => ({ agreements: [agreementWith({ directions: ['out'], ...over })] });
    expect(found('sip:b.example', ['10.0.0.7'], agreed({}))).toMatchObject({ status: 'ready', action: 'continue' });
    expect(found('sip:b.example', ['10.0.0.7'], agreed({ enabled: false }))).toMatchObject(REFUSED);
    const ended = { valid: { from: Number.NEGATIVE_INFINITY, until: NOW - 1 } };
    expect(found('sip:b.example', ['10.0.0.7'], agreed(ended))).toMatchObject(REFUSED);
  });
  test.each(['010.0.0.7', '10.0.0.07', '266.0.0.7', '0x0a.0.0.7', '167772167', '10.7', '8.8.8.8:70000'])(
    'fail/%s, which another reader may take for an address',
    (host) => {
      expect(found(`sip:alice@${host}`, [])).toMatchObject({ status: 'failed', action: 'reject', targets: [] });
      expect(found(`sip:alice@${host}`, [], {}, {})).toMatchObject({ action: 'continue', code: 0 });
    },
  );
  test('fail/a transport that nobody knows', () => {
    expect(found('sip:alice@10.0.0.7;transport=foo', [])).toMatchObject({ action: 'reject', targets: [] });
  });
  test('fail/its DNS has no address at all, or does not answer: the proxy may have another answer', () => {
    const refused = { status: 'failed', action: 'reject', code: 503, phrase: 'Next Hop Not Known', targets: [] };
    expect(found('sip:b.example', [])).toMatchObject(refused);
    const failed = { kind: 'failed', ttl: 30, authentic: false } as const;
    const broken: DnsAnswers = {
      ...zone([]),
      A: new Map([['b.example', failed]]),
      AAAA: new Map([['b.example', failed]]),
    };
    expect(found('sip:b.example', [], {}, undefined, broken)).toMatchObject(refused);
    expect(found('sip:b.example', [], {}, {}, broken)).toMatchObject({ action: 'continue', code: 0 });
  });
  test('fail/its DNS has not answered yet', () => {
    const open: DnsAnswers = { ...zone([]), A: new Map() };
    const later = { status: 'pending', action: 'reject', code: 503, phrase: 'Next Hop Not Known Yet' };
    expect(found('sip:b.example', [], {}, undefined, open)).toMatchObject(later);
    expect(found('sip:b.example', [], {}, {}, open)).toMatchObject({ status: 'pending', action: 'continue' });
    const agreements = [agreementWith({ directions: ['out'] })];
    expect(found('sip:b.example', [], { agreements }, undefined, open)).toMatchObject({ action: 'continue' });
  });
});

test('fail/a next hop without TLS, where that is required, is told so and not as unknown', () => {
  const setting: Partial<HopOptions> = { specialAddresses: [], transports: ['tcp', 'udp'] };
  expect(found('sips:b.example', ['192.0.2.7'], {}, setting)).toMatchObject({
    ...{ status: 'failed', action: 'reject', code: 503, phrase: 'Next Hop Without TLS', targets: [] },
  });
});

describe('targets that an agreement names', () => {
  const targets = ['192.0.2.7', '2001:db8::7'].map((address) => ({ address, port: 5061 }));
  const agreements = [agreementWith({ directions: ['out'], targets })];

  test('ok/those of a family that the proxy has sockets for', () => {
    const { targets: used } = found('sip:b.example', [], { agreements }, { families: ['A'] });
    expect(used.map(({ address }) => address)).toEqual(['192.0.2.7']);
  });
  test('fail/none of them has one', () => {
    const six = [agreementWith({ directions: ['out'], targets: targets.slice(1) })];
    const hop = found('sip:b.example', [], { agreements: six }, { families: ['A'] });
    expect(hop).toMatchObject({ status: 'failed', targets: [], findings: [{ code: 'no-next-hop' }] });
  });

  test.each([
    ['enforce', 'tls'],
    ['monitor', 'udp'],
  ] as const)('ok/a URI with the address of one says nothing of a transport: %s, %s', (enforcement, transport) => {
    const all = [agreementWith({ directions: ['out'], targets, enforcement })];
    const { targets: used } = found('sip:192.0.2.7:5061', [], { agreements: all }, { families: ['A'] });
    expect(used.map((each) => each.transport)).toEqual([transport]);
  });
});
