import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { domainFault, isDomainName, referenceDomain } from '../../../../src/x509/identity/domain.js';
import { runs } from '../../../support/runs.js';

const LABEL63 = 'a'.repeat(63);

const NAMES: readonly string[] = [
  'b.example',
  'B.EXAMPLE',
  'ims.mnc001.mcc001.3gppnetwork.org',
  'xn--bcher-kva.example',
  '0.example',
  '1.2.3.a4',
  'a--b.example',
  `${LABEL63}.example`,
  `${LABEL63}.${LABEL63}.${LABEL63}.${'a'.repeat(57)}.abc`,
];

const NOT_NAMES: readonly (readonly [string, 'wildcard' | 'bytes' | 'form'])[] = [
  ['*.b.example', 'wildcard'],
  ['sbc*.b.example', 'wildcard'],
  ['*', 'wildcard'],
  ['b.*', 'wildcard'],
  ['b.example\0.evil.example', 'bytes'],
  ['b.example\n', 'bytes'],
  ['b .example', 'bytes'],
  ['b.example/x', 'bytes'],
  ['a.example,b.example', 'bytes'],
  ['a.example, DNS:b.example', 'bytes'],
  ['*.b.example\0', 'bytes'],
  ['*_.b.example', 'bytes'],
  ['_sip._udp.b.example', 'bytes'],
  ['b%2eexample', 'bytes'],
  ['user@b.example', 'bytes'],
  ['b.example:5061', 'bytes'],
  ['bücher.example', 'bytes'],
  ['peer.e\u212aample', 'bytes'],
  ['peer.ex\u0430mple', 'bytes'],
  ['\u{1f4a9}.example', 'bytes'],
  ['', 'form'],
  ['.', 'form'],
  ['.b.example', 'form'],
  ['b.example.', 'form'],
  ['b..example', 'form'],
  ['localhost', 'form'],
  ['-b.example', 'form'],
  ['b-.example', 'form'],
  ['b.-example', 'form'],
  [`a${LABEL63}.example`, 'form'],
  [`${LABEL63}.${LABEL63}.${LABEL63}.${'a'.repeat(58)}.abc`, 'form'],
  ['192.0.2.1', 'form'],
  ['b.1', 'form'],
  ['0x7f.0x1', 'form'],
  ['b.0x', 'form'],
];

describe('isDomainName', () => {
  for (const name of NAMES) test(`ok/${name}`, () => expect(isDomainName(name)).toBe(true));
  for (const [name, kind] of NOT_NAMES) {
    test(`fail/${JSON.stringify(name)} (${kind})`, () => {
      expect(domainFault(name)?.kind).toBe(kind);
      expect(isDomainName(name)).toBe(false);
    });
  }
});

const DOMAINS: readonly (readonly [string, string])[] = [
  ['b.example', 'b.example'],
  ['B.Example', 'b.example'],
  ['b.example.', 'b.example'],
  ['b.example:5061', 'b.example'],
  ['b.example.:5061', 'b.example'],
  ['sip:b.example', 'b.example'],
  ['SIP:B.example', 'b.example'],
  ['sips:b.example', 'b.example'],
  ['sip:b.example:5061;transport=tls;lr', 'b.example'],
  ['sip:b.example;transport=tls', 'b.example'],
  ['sip:b.example?Subject=x', 'b.example'],
  ['sip:alice@b.example', 'b.example'],
  ['sip:alice:secret@b.example:5060', 'b.example'],
  ['sip:+4930;phone-context=a.example@b.example;user=phone', 'b.example'],
  ['sip:a?b/c@b.example', 'b.example'],
  // RFC 3261 §25.1: what stands before the "@" is the user, whatever it looks like.
  ['sip:b.example;x=@c.example;lr', 'c.example'],
  // C-4: U-labels become A-labels where nothing is folded.
  ['bücher.example', 'xn--bcher-kva.example'],
  ['Bücher.example', 'xn--bcher-kva.example'],
  ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
  ['XN--BCHER-KVA.example', 'xn--bcher-kva.example'],
  ['straße.example', 'xn--strae-oqa.example'],
  ['sip:alice@bücher.example', 'xn--bcher-kva.example'],
  // RFC 5892 appendix A: letters of other scripts, their marks, and what stands between letters alone.
  ['παράδειγμα.example', 'xn--hxajbheg2az3al.example'],
  ['col\u00b7lega.example', 'xn--collega-xma.example'],
  ['नमूना.example', 'xn--l2bar9dsa.example'],
  // T-35: the confusable is a name of its own, and equal to nothing else.
  ['peer.ex\u0430mple', 'peer.xn--exmple-4nf'],
];

const ADDRESSES: readonly (readonly [string, string])[] = [
  ['192.0.2.1', '192.0.2.1'],
  ['192.0.2.1:5061', '192.0.2.1'],
  ['sip:192.0.2.1', '192.0.2.1'],
  ['sip:alice@192.0.2.1:5060;transport=tcp', '192.0.2.1'],
  ['sip:[2001:db8::1]:5061', '2001:db8::1'],
  ['[2001:DB8::1]:5061', '2001:db8::1'],
  ['[2001:db8::1]', '2001:db8::1'],
  ['2001:db8::1', '2001:db8::1'],
  ['sip:[::ffff:192.0.2.1]', '192.0.2.1'],
];

const INVALID: readonly (readonly [string, RegExp])[] = [
  ['', /empty label/],
  ['sip:', /empty label/],
  ['.', /empty label/],
  ['b.example..', /empty label/],
  ['.b.example', /empty label/],
  ['localhost', /one label/],
  ['*.b.example', /wildcard/],
  ['b_c.example', /"_" at position 2/],
  ['b.example\0', /byte 0x00 at position 10/],
  ['b.example\r\nX: y', /byte 0x0d/],
  [' b.example', /byte 0x20/],
  ['b.example\u0085', /byte 0x85/],
  ['b.example:0', /port 0/],
  ['b.example:65536', /port 65536/],
  ['b.example:', /expected a domain/],
  ['b.example:sip', /expected a domain/],
  ['b.example:5060:5061', /expected a domain/],
  ['b.example;transport=tls', /";"/],
  ['alice@b.example', /"@"/],
  ['tel:+4930', /expected a domain/],
  ['http://b.example', /expected a domain/],
  ['sip://b.example', /"\/"/],
  ['sip:b.example/x', /"\/"/],
  ['<sip:b.example>', /expected a domain/],
  ['sip:@b.example', /before the "@"/],
  ['sip:a@b.example@c.example', /at most one "@"/],
  ['sip:b.example;maddr=192.0.2.1', /maddr/],
  ['sip:b.example;lr;MADDR=c.example', /maddr/],
  ['sip:b%2eexample', /"%"/],
  ['sip:2001:db8::1', /expected a domain/],
  ['[2001:db8::1', /expected a domain/],
  ['[2001:db8::1]x', /expected a domain/],
  ['[192.0.2.1]', /IPv6 address in the brackets/],
  ['[b.example]', /IPv6 address in the brackets/],
  ['[fe80::1%25eth0]', /IPv6 address in the brackets/],
  ['0300.0.2.1', /last label is a number/],
  ['192.0.2', /last label is a number/],
  ['0x7f000001.0x1', /last label is a number/],
  // RFC 5892: what word processors and browsers put into names is no part of any.
  ['\u201cb.example\u201d', /U\+201C at position 1/],
  ['b\u2013c.example', /U\+2013 at position 2/],
  ['b\u2010c.example', /U\+2010 at position 2/],
  ['a.b\u20ac.example', /the label "b\\u\{20ac\}": U\+20AC at position 2/],
  ['\u260e.example', /U\+260E/],
  ['a\u00b7b.example', /U\+00B7|byte 0xb7/],
  // C-4: whatever a conversion would fold is refused.
  ['BÜCHER.example', /does not survive.*; in lower case, and composed \(NFC\), it does$/],
  ['bu\u0308cher.example', /does not survive.*; in lower case, and composed \(NFC\), it does$/],
  ['peer.e\u212aample', /does not survive.*and back$/],
  ['\ufb01.example', /does not survive/],
  ['\uff21.example', /does not survive/],
  ['\uff11\uff12\uff17.\uff10.\uff10.\uff11', /does not survive/],
  ['peer\u3002example', /does not survive/],
  ['a\uff20b.example', /does not survive/],
  ['a\u00ad.example', /does not survive/],
  ['a\u200bb.example', /does not survive/],
  ['a\u202eb.example', /does not survive/],
  ['e\u0301.example', /does not survive/],
  ['\u0130.example', /does not survive/],
  ['xn--a.example', /does not survive/],
  ['xn--.example', /does not survive/],
  ['xn--abc-.example', /does not survive/],
  ['xn--b\u00fccher.example', /does not survive/],
  ['a_\u00fc.example', /does not survive/],
  [`${'\u00fc'.repeat(60)}.example`, /63 bytes/],
];

describe('referenceDomain', () => {
  for (const [text, name] of DOMAINS) {
    test(`ok/${text} is ${name}`, () => expect(referenceDomain(text)).toEqual({ kind: 'domain', name }));
  }
  for (const [text, address] of ADDRESSES) {
    test(`ok/T-37 ${text} is the address ${address}`, () =>
      expect(referenceDomain(text)).toEqual({ kind: 'ip', address }));
  }
  for (const [text, why] of INVALID) {
    test(`fail/${JSON.stringify(text)}`, () => {
      const reference = referenceDomain(text);
      expect(reference.kind).toBe('invalid');
      if (reference.kind === 'invalid') expect(reference.why).toMatch(why);
    });
  }

  test('ok/messages are printable ASCII', () => {
    for (const [text] of INVALID) {
      const reference = referenceDomain(text);
      if (reference.kind === 'invalid') expect(reference.why).toMatch(/^[\x20-\x7e]+$/);
    }
  });
});

describe('properties', () => {
  const piece = fc.constantFrom(
    'b',
    'example',
    '.',
    '..',
    '-',
    '*',
    ':',
    '5061',
    'sip:',
    '@',
    ';',
    '[',
    ']',
    '::1',
    'xn--',
    'ü',
    '\u212a',
    '\u3002',
    '\0',
    ' ',
    '1',
    '%2e',
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join('')),
    fc.domain(),
  );

  test('ok/a reference is a lower-case domain name, an address, or says why not', () => {
    fc.assert(
      fc.property(text, (value) => {
        const reference = referenceDomain(value);
        if (reference.kind === 'domain') {
          expect(reference.name).toMatch(/^[a-z0-9.-]+$/);
          expect(isDomainName(reference.name)).toBe(true);
          // Reading what was read changes nothing.
          expect(referenceDomain(reference.name)).toEqual(reference);
        }
        if (reference.kind === 'ip') expect(referenceDomain(reference.address)).toEqual(reference);
        if (reference.kind === 'invalid') expect(reference.why).toMatch(/^[\x20-\x7e]+$/);
      }),
      { numRuns: runs(1_500) },
    );
  });

  test('ok/plain domain names stand for themselves', () => {
    fc.assert(
      fc.property(
        fc.domain().filter((name) => !/(^|\.)xn--/i.test(name)),
        (name) => {
          expect(referenceDomain(name)).toEqual({ kind: 'domain', name: name.toLowerCase() });
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
