import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AlternativeName, NameAttribute } from '../../../../src/x509/certificate/facts.js';
import { isDomainName } from '../../../../src/x509/identity/domain.js';
import { sipIdentities } from '../../../../src/x509/identity/identity.js';
import { der, tlv } from '../../../support/der.js';
import { runs } from '../../../support/runs.js';

const UTF8 = 12;
const PRINTABLE = 19;
const TELETEX = 20;
const BMP = 30;

const uri = (text: string): AlternativeName => ({ type: 'uri', bytes: Buffer.from(text, 'latin1') });
const dns = (text: string): AlternativeName => ({ type: 'dns', bytes: Buffer.from(text, 'latin1') });
const email = (text: string): AlternativeName => ({ type: 'email', bytes: Buffer.from(text, 'latin1') });
const ip = (...bytes: number[]): AlternativeName => ({ type: 'ip', bytes: Uint8Array.from(bytes) });
const other: AlternativeName = { type: 'other', bytes: Uint8Array.of(6, 1, 1) };
const cn = (value: string, tag = UTF8): NameAttribute => ({ oid: '2.5.4.3', type: 'CN', value, tag });
const organization: NameAttribute = { oid: '2.5.4.10', type: 'O', value: 'o.example', tag: UTF8 };

interface Case {
  readonly name: string;
  readonly sans?: readonly AlternativeName[];
  readonly subject?: readonly NameAttribute[];
  readonly cnFallback?: boolean;
  readonly kind: 'uri' | 'dns' | 'cn' | 'none';
  readonly names: readonly string[];
  /** Codes of the findings in their order; `no-sip-id` stands last wherever no name is left. */
  readonly codes?: readonly string[];
  /** What the findings must say. */
  readonly says?: RegExp;
}

const none = { kind: 'none', names: [] } as const;

const URIS: readonly Case[] = [
  { name: 'one URI', sans: [uri('sip:b.example')], kind: 'uri', names: ['b.example'] },
  {
    name: 'T-29 scheme and host in any case, port, parameters',
    sans: [uri('SIP:Peer.EXAMPLE:5061;transport=tls')],
    kind: 'uri',
    names: ['peer.example'],
  },
  { name: 'parameters without port', sans: [uri('sip:b.example;transport=tls;lr')], kind: 'uri', names: ['b.example'] },
  { name: 'headers', sans: [uri('sip:b.example?Subject=a%20b')], kind: 'uri', names: ['b.example'] },
  {
    name: 'several URIs',
    sans: [uri('sip:b.example'), uri('sip:c.example')],
    kind: 'uri',
    names: ['b.example', 'c.example'],
  },
  {
    name: 'duplicates fold',
    sans: [uri('sip:b.example'), uri('SIP:B.example:5061'), uri('sip:b.example;lr')],
    kind: 'uri',
    names: ['b.example'],
  },
  {
    name: 'T-26 a URI makes dNSNames irrelevant',
    sans: [dns('other.example'), uri('sip:peer.example')],
    kind: 'uri',
    names: ['peer.example'],
  },
  { name: 'A-label', sans: [uri('sip:xn--bcher-kva.example')], kind: 'uri', names: ['xn--bcher-kva.example'] },
  {
    name: 'T-27 a user is skipped, the dNSName stands',
    sans: [uri('sip:alice@peer.example'), dns('peer.example')],
    kind: 'dns',
    names: ['peer.example'],
  },
  { name: 'T-27 a user alone', sans: [uri('sip:alice@peer.example')], ...none, says: /names a user/ },
  { name: 'an empty user', sans: [uri('sip:@peer.example')], ...none, says: /names a user/ },
  { name: 'a user with password', sans: [uri('sip:alice:secret@peer.example')], ...none, says: /names a user/ },
  {
    name: 'a user that looks like a host',
    sans: [uri('sip:peer.example;x@evil.example')],
    ...none,
    says: /names a user/,
  },
  { name: 'an "@" in a parameter', sans: [uri('sip:peer.example;x=a@evil.example')], ...none, says: /names a user/ },
  { name: 'T-28 sips', sans: [uri('sips:peer.example')], ...none, says: /"sips"/ },
  {
    name: 'T-28 sips beside a dNSName',
    sans: [uri('sips:peer.example'), dns('b.example')],
    kind: 'dns',
    names: ['b.example'],
  },
  {
    name: 'other schemes',
    sans: [uri('https://peer.example'), uri('tel:+4930'), uri('urn:x')],
    ...none,
    says: /"https"/,
  },
  { name: 'no scheme', sans: [uri('peer.example')], ...none, says: /no scheme/ },
  { name: 'scheme with a blank', sans: [uri('sip :peer.example')], ...none, codes: ['name-bytes'] },
  { name: 'IPv4 host', sans: [uri('sip:192.0.2.1')], ...none, says: /IP address/ },
  { name: 'IPv4 host and port', sans: [uri('sip:192.0.2.1:5061')], ...none, says: /IP address/ },
  { name: 'IPv6 host', sans: [uri('sip:[2001:db8::1]:5061')], ...none, says: /IP address/ },
  {
    name: 'IPv6 host beside a dNSName',
    sans: [uri('sip:[2001:db8::1]'), dns('b.example')],
    kind: 'dns',
    names: ['b.example'],
  },
  { name: 'odd IPv4 spelling', sans: [uri('sip:0300.0.2.1')], ...none, codes: ['name-form'] },
  { name: 'wildcard', sans: [uri('sip:*.peer.example')], ...none, codes: ['wildcard'] },
  { name: 'slashes before the host', sans: [uri('sip://peer.example')], ...none, codes: ['name-bytes'] },
  { name: 'T-32 slash after the host', sans: [uri('sip:peer.example/x')], ...none, codes: ['name-bytes'] },
  { name: 'percent escape in the host', sans: [uri('sip:peer%2eexample')], ...none, codes: ['name-bytes'] },
  { name: 'escaped "@"', sans: [uri('sip:alice%40peer.example')], ...none, codes: ['name-bytes'] },
  { name: 'fragment', sans: [uri('sip:peer.example#x')], ...none, codes: ['name-bytes'] },
  { name: 'fragment in a parameter', sans: [uri('sip:peer.example;x#y')], ...none, codes: ['name-bytes'] },
  { name: 'a second URI after a comma', sans: [uri('sip:peer.example,sip:b.example')], ...none, codes: ['name-bytes'] },
  {
    name: 'a second URI hidden in a parameter',
    sans: [uri('sip:peer.example;x,URI:sip:b.example')],
    ...none,
    codes: ['name-bytes'],
  },
  { name: 'angle brackets', sans: [uri('<sip:peer.example>')], ...none, says: /scheme/ },
  { name: 'port that is no number', sans: [uri('sip:peer.example:sip')], ...none, codes: ['name-bytes'] },
  { name: 'empty port', sans: [uri('sip:peer.example:')], ...none, codes: ['name-bytes'] },
  { name: 'broken escape in a parameter', sans: [uri('sip:peer.example;x=%zz')], ...none, codes: ['name-bytes'] },
  { name: 'empty parameter', sans: [uri('sip:peer.example;')], ...none, codes: ['name-bytes'] },
  { name: 'empty host', sans: [uri('sip:')], ...none, codes: ['name-form'] },
  { name: 'empty host with port', sans: [uri('sip::5061')], ...none, codes: ['name-form'] },
  { name: 'trailing dot', sans: [uri('sip:peer.example.')], ...none, codes: ['name-form'] },
  { name: 'underscore', sans: [uri('sip:_sip.peer.example')], ...none, codes: ['name-bytes'] },
  {
    name: 'T-32 NUL',
    sans: [uri('sip:peer.example\0.evil.example')],
    ...none,
    codes: ['name-bytes'],
    says: /byte 0x00 at position 17/,
  },
  { name: 'T-32 NUL in a parameter', sans: [uri('sip:peer.example;x\0')], ...none, codes: ['name-bytes'] },
  { name: 'T-32 newline', sans: [uri('sip:peer.example\n')], ...none, codes: ['name-bytes'] },
  { name: 'T-32 blank', sans: [uri('sip: peer.example')], ...none, codes: ['name-bytes'] },
  { name: 'T-32 UTF-8', sans: [uri('sip:peer.ex\xd0\xb0mple')], ...none, codes: ['name-bytes'] },
  { name: 'T-35 Kelvin sign in UTF-8', sans: [uri('sip:peer.e\xe2\x84\xaaample')], ...none, codes: ['name-bytes'] },
  {
    name: 'a refused URI does not hide a good one',
    sans: [uri('sip:*.b.example'), uri('sip:b.example')],
    kind: 'uri',
    names: ['b.example'],
    codes: ['wildcard'],
  },
  {
    name: 'a refused URI does not hide a dNSName',
    sans: [uri('sip:b.example\0'), dns('b.example')],
    kind: 'dns',
    names: ['b.example'],
    codes: ['name-bytes'],
  },
];

const DNS_NAMES: readonly Case[] = [
  { name: 'one dNSName', sans: [dns('b.example')], kind: 'dns', names: ['b.example'] },
  { name: 'upper case', sans: [dns('SBC.B.Example')], kind: 'dns', names: ['sbc.b.example'] },
  {
    name: 'several, in order, each once',
    sans: [dns('z.example'), dns('a.example'), dns('Z.EXAMPLE')],
    kind: 'dns',
    names: ['z.example', 'a.example'],
  },
  { name: 'T-24 wildcard', sans: [dns('*.peer.example')], ...none, codes: ['wildcard'] },
  { name: 'partial wildcard', sans: [dns('sbc*.peer.example')], ...none, codes: ['wildcard'] },
  {
    name: 'wildcard beside a name',
    sans: [dns('*.peer.example'), dns('peer.example')],
    kind: 'dns',
    names: ['peer.example'],
    codes: ['wildcard'],
  },
  { name: 'leading dot', sans: [dns('.peer.example')], ...none, codes: ['name-form'] },
  { name: 'trailing dot', sans: [dns('peer.example.')], ...none, codes: ['name-form'] },
  { name: 'empty label', sans: [dns('peer..example')], ...none, codes: ['name-form'] },
  { name: 'empty', sans: [dns('')], ...none, codes: ['name-form'] },
  { name: 'one blank (RFC 5280 §4.2.1.6)', sans: [dns(' ')], ...none, codes: ['name-bytes'] },
  { name: 'one label', sans: [dns('localhost')], ...none, codes: ['name-form'] },
  { name: 'underscore', sans: [dns('my_sbc.peer.example')], ...none, codes: ['name-bytes'] },
  {
    name: 'hyphen at an end',
    sans: [dns('-sbc.peer.example'), dns('sbc-.peer.example')],
    ...none,
    codes: ['name-form', 'name-form'],
  },
  { name: 'label of 64', sans: [dns(`${'a'.repeat(64)}.example`)], ...none, codes: ['name-form'] },
  { name: 'T-32 NUL', sans: [dns('peer.example\0.evil.example')], ...none, codes: ['name-bytes'] },
  { name: 'T-32 slash', sans: [dns('peer.example/x')], ...none, codes: ['name-bytes'] },
  {
    name: 'T-33 comma injection is one invalid name',
    sans: [dns('a.example, DNS:peer.example')],
    ...none,
    codes: ['name-bytes'],
  },
  { name: 'T-33 without blank', sans: [dns('a.example,DNS:peer.example')], ...none, codes: ['name-bytes'] },
  { name: 'a URI as dNSName', sans: [dns('sip:peer.example')], ...none, codes: ['name-bytes'] },
  { name: 'user as dNSName', sans: [dns('alice@peer.example')], ...none, codes: ['name-bytes'] },
  { name: 'T-35 UTF-8 Kelvin sign', sans: [dns('peer.e\xe2\x84\xaaample')], ...none, codes: ['name-bytes'] },
  { name: 'T-35 Latin-1', sans: [dns('b\xfccher.example')], ...none, codes: ['name-bytes'] },
  { name: 'IPv4 text', sans: [dns('192.0.2.1')], ...none, says: /IP address/ },
  { name: 'IPv6 text', sans: [dns('2001:db8::1')], ...none },
  { name: 'T-36 iPAddress', sans: [ip(192, 0, 2, 1)], ...none, says: /iPAddress/ },
  {
    name: 'T-30 rfc822Name and CN',
    sans: [email('sip@peer.example')],
    subject: [cn('peer.example')],
    cnFallback: true,
    ...none,
    says: /rfc822Name/,
  },
  { name: 'otherName', sans: [other], ...none, says: /otherName "060101"/ },
  {
    name: 'SRVName',
    sans: [{ type: 'other', bytes: der.concat(der.oid('1.3.6.1.5.5.7.8.7'), tlv(0xa0, der.ia5('_sips.b.example'))) }],
    ...none,
    says: /otherName "SRVName _sips\.b\.example": only a URI or a dNSName can name a SIP domain/,
  },
  {
    name: 'no fallback to CN where SAN is empty',
    sans: [],
    subject: [cn('peer.example')],
    cnFallback: true,
    ...none,
    says: /found nothing/,
  },
  {
    name: 'no fallback to CN where no SAN is usable',
    sans: [dns('*.peer.example')],
    subject: [cn('peer.example')],
    cnFallback: true,
    ...none,
    codes: ['wildcard'],
  },
  {
    name: 'no CN beside a SAN',
    sans: [dns('b.example')],
    subject: [cn('peer.example')],
    cnFallback: true,
    kind: 'dns',
    names: ['b.example'],
  },
];

const COMMON_NAMES: readonly Case[] = [
  { name: 'T-31 fallback on', subject: [cn('Peer.example')], cnFallback: true, kind: 'cn', names: ['peer.example'] },
  {
    name: 'T-31 fallback on, PrintableString, among others',
    subject: [organization, cn('peer.example', PRINTABLE)],
    cnFallback: true,
    kind: 'cn',
    names: ['peer.example'],
  },
  { name: 'T-31 fallback off', subject: [cn('peer.example')], ...none, codes: ['cn-disabled'], says: /cn_fallback/ },
  {
    name: 'fallback off, CN of no use anyway',
    subject: [cn('Operator B')],
    ...none,
    says: /"Operator B" is no domain name: byte 0x20 at position 9 is in no host name$/,
  },
  {
    name: 'fallback off, CN with a port',
    subject: [cn('b.example:5061')],
    ...none,
    says: /5061" is no domain name: ":" at/,
  },
  {
    name: 'T-34 two common names',
    subject: [cn('a.example'), cn('peer.example')],
    cnFallback: true,
    ...none,
    codes: ['cn-ambiguous'],
  },
  {
    name: 'T-34 the same twice',
    subject: [cn('peer.example'), cn('peer.example')],
    cnFallback: true,
    ...none,
    codes: ['cn-ambiguous'],
  },
  {
    name: 'T-34 the second of another string type',
    subject: [cn('peer.example'), cn('a.example', BMP)],
    cnFallback: true,
    ...none,
    codes: ['cn-ambiguous'],
  },
  { name: 'BMPString', subject: [cn('peer.example', BMP)], cnFallback: true, ...none, says: /found BMPString/ },
  {
    name: 'TeletexString',
    subject: [cn('peer.example', TELETEX)],
    cnFallback: true,
    ...none,
    says: /found TeletexString/,
  },
  {
    name: 'T-32 NUL',
    subject: [cn('peer.example\0.evil.example')],
    cnFallback: true,
    ...none,
    codes: ['name-bytes'],
    says: /\\x00/,
  },
  { name: 'T-32 newline', subject: [cn('peer.example\n')], cnFallback: true, ...none, codes: ['name-bytes'] },
  { name: 'T-32 blank', subject: [cn('peer example')], cnFallback: true, ...none, codes: ['name-bytes'] },
  { name: 'T-32 slash', subject: [cn('peer.example/CN=b.example')], cnFallback: true, ...none, codes: ['name-bytes'] },
  { name: 'T-35 Kelvin sign', subject: [cn('peer.e\u212aample')], cnFallback: true, ...none, codes: ['name-bytes'] },
  { name: 'T-35 Cyrillic', subject: [cn('peer.ex\u0430mple')], cnFallback: true, ...none, codes: ['name-bytes'] },
  { name: 'wildcard', subject: [cn('*.peer.example')], cnFallback: true, ...none, codes: ['wildcard'] },
  {
    name: 'a SIP URI is no domain',
    subject: [cn('sip:peer.example')],
    cnFallback: true,
    ...none,
    codes: ['name-bytes'],
  },
  { name: 'address', subject: [cn('192.0.2.1')], cnFallback: true, ...none, says: /IP address/ },
  { name: 'no CN', subject: [organization], cnFallback: true, ...none, says: /neither/ },
  { name: 'empty subject', subject: [], cnFallback: true, ...none, says: /neither/ },
  { name: 'O is no CN', subject: [organization], ...none },
];

describe.each([
  ['URI', URIS],
  ['dNSName', DNS_NAMES],
  ['common name', COMMON_NAMES],
])('sipIdentities by %s', (_, cases) => {
  for (const {
    name,
    sans,
    subject = [cn('subject.example')],
    cnFallback = false,
    kind,
    names,
    codes = [],
    says,
  } of cases) {
    test(`${kind === 'none' ? 'fail' : 'ok'}/${name}`, () => {
      const found = sipIdentities({ subject, subjectAltNames: sans }, { cnFallback });
      expect({ kind: found.kind, names: found.names }).toEqual({ kind, names });
      expect(found.findings.map(({ code }) => code)).toEqual(kind === 'none' ? [...codes, 'no-sip-id'] : codes);
      if (says) expect(found.findings.map(({ detail }) => detail).join('\n')).toMatch(says);
    });
  }
});

describe('findings', () => {
  test('ok/name the entry and what is wrong with it', () => {
    const { findings } = sipIdentities(
      { subject: [], subjectAltNames: [dns('b.example'), dns('c.example\0x'), uri('sip:*.d.example')] },
      { cnFallback: false },
    );
    expect(findings).toEqual([
      {
        code: 'name-bytes',
        detail: 'subjectAltName 2, dNSName "c.example\\x00x": byte 0x00 at position 10 is in no name',
      },
      { code: 'wildcard', detail: 'subjectAltName 3, URI "sip:*.d.example": a wildcard names no one domain' },
    ]);
  });

  test('ok/a certificate of a thousand bad names does not flood the log', () => {
    const sans = Array.from({ length: 1_000 }, (_, at) => dns(`*.${'x'.repeat(200)}${at}.example`));
    const { findings } = sipIdentities({ subject: [], subjectAltNames: sans }, { cnFallback: false });
    expect(findings).toHaveLength(17);
    expect(findings.at(-1)?.detail).toMatch(/and 984 more$/);
    expect(findings.every(({ detail }) => detail.length < 5_000)).toBe(true);
  });

  test('ok/long hostile names cost linear time', () => {
    for (const text of [
      `${'*'.repeat(100_000)}!`,
      `sip:b.example${';a=b'.repeat(25_000)};`,
      `sip:${'a.'.repeat(50_000)}`,
      `sip:b.example${'?'.repeat(100_000)}"`,
    ]) {
      for (const san of [uri(text), dns(text)])
        expect(sipIdentities({ subject: [], subjectAltNames: [san] }, { cnFallback: false }).kind).toBe('none');
    }
  }, 2_000);
});

describe('a certificate of a stranger with tens of thousands of names', () => {
  test.each(['dns', 'uri', 'email'] as const)(
    'fail/refused ones of kind %s: words are made of the first alone',
    (type) => {
      let reads = 0;
      const refused = Array.from({ length: 20_000 }, () => ({
        type,
        get bytes(): Uint8Array {
          reads += 1;
          return Uint8Array.of(0x5f);
        },
      }));
      const { kind, findings } = sipIdentities({ subject: [], subjectAltNames: refused }, { cnFallback: false });
      expect([kind, findings.length <= 17]).toEqual(['none', true]);
      expect(findings.at(-1)?.detail).toMatch(/; and 19984 more$/);
      expect(reads).toBeLessThanOrEqual(20_000 + 16);
    },
  );
});

describe('properties', () => {
  const piece = fc.constantFrom(
    'sip:',
    'SIP:',
    'sips:',
    'b',
    'Example',
    'xn--',
    '.',
    '*',
    '-',
    '_',
    '@',
    ':',
    '5061',
    ';',
    '?',
    '=',
    '/',
    '[',
    ']',
    '%2e',
    ',',
    ' ',
    '\0',
    '\n',
    '\xe2\x84\xaa',
    '1',
    '0x1',
    ', DNS:',
  );
  const text = fc.oneof(
    fc.array(piece, { maxLength: 10 }).map((pieces) => pieces.join('')),
    fc.domain(),
    fc.domain().map((name) => `sip:${name}`),
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
  );
  const san = fc.oneof(
    text.map(uri),
    text.map(dns),
    text.map(email),
    fc.constant(ip(192, 0, 2, 1)),
    fc.constant(other),
  );
  const attribute = fc.oneof(
    fc
      .tuple(fc.oneof(text, fc.string({ unit: 'binary' })), fc.constantFrom(UTF8, PRINTABLE, BMP))
      .map(([value, tag]) => cn(value, tag)),
    fc.constant(organization),
  );
  const facts = fc.record({
    subject: fc.array(attribute, { maxLength: 3 }),
    subjectAltNames: fc.option(fc.array(san, { maxLength: 5 }), { nil: undefined }),
  });

  test('ok/whatever the certificate: a name is a lower-case domain name that stands in it, or there is none', () => {
    fc.assert(
      fc.property(facts, fc.boolean(), (certificate, cnFallback) => {
        const { kind, names, findings } = sipIdentities(certificate, { cnFallback });
        const values = [
          ...(certificate.subjectAltNames ?? []).map(({ bytes }) => Buffer.from(bytes).toString('latin1')),
          ...certificate.subject.map(({ value }) => value),
        ].map((value) => value.toLowerCase());
        for (const name of names) {
          expect(name).toMatch(/^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/);
          expect(isDomainName(name)).toBe(true);
          expect(values.some((value) => value.includes(name))).toBe(true);
        }
        expect(new Set(names).size).toBe(names.length);
        expect(kind === 'none').toBe(names.length === 0);
        expect(findings.some(({ code }) => code === 'no-sip-id')).toBe(kind === 'none');
        if (kind === 'cn') expect([certificate.subjectAltNames, cnFallback]).toEqual([undefined, true]);
        for (const { detail } of findings) expect(detail).toMatch(/^[\x20-\x7e]+$/);
      }),
      { numRuns: runs(2_500) },
    );
  });

  test('ok/every domain name is an identity as dNSName and as sip: URI', () => {
    fc.assert(
      fc.property(fc.domain(), (name) => {
        const expected = { names: [name.toLowerCase()], findings: [] };
        expect(sipIdentities({ subject: [], subjectAltNames: [dns(name)] }, { cnFallback: false })).toEqual({
          kind: 'dns',
          ...expected,
        });
        expect(sipIdentities({ subject: [], subjectAltNames: [uri(`sip:${name}`)] }, { cnFallback: false })).toEqual({
          kind: 'uri',
          ...expected,
        });
      }),
    );
  });
});
