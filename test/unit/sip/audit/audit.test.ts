import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AuditContext, auditHeaderBlock } from '../../../../src/sip/audit/audit.js';
import { scanHeaderBlock } from '../../../../src/sip/grammar/header-block.js';
import { MAX_BLOCK_BYTES, MAX_ROW_BYTES, MAX_ROWS, MAX_VALUES } from '../../../../src/sip/grammar/limits.js';
import { toBytes } from '../../../support/bytes.js';
import { runs } from '../../../support/runs.js';
import { block, kinds, scanText } from '../support.js';

const INVITE = 'INVITE sip:b@b.example SIP/2.0';

describe('clean blocks', () => {
  const ok: readonly (readonly [string, readonly string[]])[] = [
    [
      'ok/a call',
      [
        'v: SIP/2.0/TLS a.example;branch=z9hG4bK1',
        'f: <sip:a@a.example>;tag=1',
        't: <sip:b@b.example>',
        'i: 1',
        'CSeq: 1 INVITE',
      ],
    ],
    ['ok/list fields in many rows (P-3)', ['Route: <sip:a;lr>', 'Route: <sip:b;lr>, <sip:c;lr>', 'm: <sip:a@b>']],
    ['ok/two identities (RFC 3325)', ['P-Asserted-Identity: "A, B" <sip:a@b>, <tel:+1555>']],
    ['ok/star (RFC 3261 §10.2.2)', ['Contact: *', 'Contact:']],
    ['ok/commas and quotes in a user part', ['To: <sip:a,b?c@d.example>']],
    [
      'ok/IPv6 in brackets',
      ['Via: SIP/2.0/UDP [2001:db8::1]:5060;received=2001:db8::2', 'Contact: <sip:a@[::1]:5060>'],
    ],
    ['ok/literals in a Via', ['Via: SIP/2.0/UDP a.example, SIP/2.0/UDP [::1];received=[::2]']],
    ['ok/an opening bracket that opens no host', ['m: "[x" <sip:a@[::1]>;y=[', 'Subject: (a [b']],
    ['ok/blanks inside a Via (RFC 3261 §20.42)', ['Via: SIP / 2.0 / UDP first.example.com: 4000;ttl=16']],
    ['ok/UTF-8 values', ['Subject: \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80', 'From: J\xc3\xbcrgen <sip:j@x>;tag=1']],
    ['ok/a folded value that holds a colon', ['Subject: a\r\n Re: b', 'To:\r\n sip:a@b']],
    [
      'ok/letters of which a byte is NEL in Latin-1, before what looks like a field',
      [
        'Subject: \xc3\x85 i: y, \xc3\x85t: hej, \xc4\x85P-A: b, \xe5\x86\x85 to: x',
        'Organization: \xe2\x85\xa0 \xed\x85\x85Privacy: x, \xf0\x9f\x98\x85P-A: b',
      ],
    ],
    ['ok/unknown values of any shape', ['UnknownHeader: ;;,,"<']],
  ];
  it.each(ok)('%s', (_case, rows) => {
    expect(auditHeaderBlock(block(...rows))).toEqual([]);
  });
});

it('ok/any text in UTF-8 that keeps to one line, wherever a message has room for text', () => {
  const ends = /[\0-\x1f\x7f"\\\u0085\u2028\u2029]/g;
  const part = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 6 }),
    fc.constantFrom('\u00c5', '\u0105', '\u5185', '\u{1f605}', ' ', 'P-Asserted-Identity: ', 'y:', 'to : ', 'Privacy:'),
  );
  const text = fc.array(part, { maxLength: 8 }).map((parts) => {
    const whole = parts.join('').replace(ends, '');
    return Buffer.from(whole, 'utf8').toString('latin1');
  });
  fc.assert(
    fc.property(text, (value) => {
      const rows = [`Subject: ${value}`, `User-Agent: ${value}`, `From: "${value}" <sip:a@b.example>;tag=1`];
      expect(kinds(block(...rows), 'reject')).toEqual([]);
    }),
    { numRuns: runs(1000) },
  );
});

it('fail/a private field behind a NEL of Latin-1 in any text', () => {
  const text = fc
    .string({ unit: 'binary', maxLength: 8 })
    .map((some) => Buffer.from(some.replace(/[\0-\x1f\x7f]/g, ''), 'utf8').toString('latin1'));
  fc.assert(
    fc.property(text, text, fc.constantFrom('P-A', 'x-b', 'Privacy', 'y', 'Diversion'), (before, after, name) => {
      expect(kinds(block(`Subject: ${before}\x85${name}: ${after}`), 'reject')).toContain('hidden-field');
    }),
    { numRuns: runs(500) },
  );
});

describe('rejects', () => {
  const fail: readonly (readonly [string, readonly string[], readonly string[], AuditContext?])[] = [
    // P-12
    ['fail/two To rows', ['To: <sip:a@b>', 'To: <sip:a@b>'], ['duplicate-single']],
    ['fail/compact and long From', ['f: <sip:a@b>', 'From: <sip:a@b>'], ['duplicate-single']],
    ['fail/Call-ID and i', ['i: 1', 'CALL-ID : 1'], ['duplicate-single']],
    ['fail/two CSeq', ['CSeq: 1 BYE', 'CSeq: 1 BYE'], ['duplicate-single']],
    ['fail/two Max-Forwards', ['Max-Forwards: 1', 'Max-Forwards: 1'], ['duplicate-single']],
    ['fail/two Content-Length', ['l: 1', 'Content-Length: 1'], ['duplicate-single']],
    [
      'fail/a disguised second From',
      ['From: <sip:a@b>', 'From\xa0: <sip:c@d>'],
      ['duplicate-single', 'name-no-break-space'],
    ],
    ['fail/two values in one From', ['From: <sip:a@b>, <sip:c@d>'], ['duplicate-single']],
    ['fail/two Call-IDs in one row', ['Call-ID: a, b'], ['call-id']],
    ['fail/no Call-ID in the row', ['Call-ID:'], ['call-id']],
    // framing
    ['fail/two lengths in one row', ['Content-Length: 1, 2'], ['content-length']],
    ['fail/negative length', ['Content-Length: -1'], ['content-length']],
    ['fail/signed length', ['Content-Length: +1'], ['content-length']],
    ['fail/hexadecimal length', ['Content-Length: 0x10'], ['content-length']],
    ['fail/length that wraps', ['Content-Length: 99999999999'], ['content-length']],
    ['fail/no length', ['Content-Length:'], ['content-length']],
    ['fail/Max-Forwards that is no number', ['Max-Forwards: 7 0'], ['max-forwards']],
    // P-14
    ['fail/NUL in a value', ['Subject: a\x00b'], ['value-control']],
    ['fail/NUL in a quoted string', ['From: "a\x00b" <sip:a@b>'], ['value-control']],
    ['fail/escaped NUL outside quotes', ['Subject: a\\\x00b'], ['value-control']],
    ['fail/form feed', ['Subject: a\x0cb'], ['value-control']],
    ['fail/overlong UTF-8', ['Subject: \xc0\x8d\xc0\x8a'], ['overlong-utf8']],
    ['fail/overlong UTF-8 of three bytes', ['Subject: \xe0\x80\x8a'], ['overlong-utf8']],
    ['fail/U+2028', ['Subject: a\xe2\x80\xa8P-A: b'], ['unicode-line-break']],
    ['fail/NEL', ['Subject: a\xc2\x85P-A: b'], ['unicode-line-break']],
    ['fail/a field behind NEL of Latin-1', ['Date: a\x85P-A: b'], ['hidden-field']],
    ['fail/a field behind an overlong LF', ['Date: a\xc0\x8a P-A : b'], ['hidden-field', 'overlong-utf8']],
    ['fail/and behind a letter', ['Date: \xc3\x85\x85P-A: b'], ['hidden-field']],
    ['fail/and behind a letter that is cut off', ['Date: \xe5\x86P-B: \x85 y : b'], ['hidden-field']],
    ['fail/and behind another such name', ['Date: a\x85b: c\x85\tPrivacy: d'], ['hidden-field']],
    [
      'fail/a field behind an overlong LF of three bytes',
      ['Date: \xe0\x80\x8aX-A:1'],
      ['hidden-field', 'overlong-utf8'],
    ],
    [
      'fail/a field behind an overlong LF of four bytes',
      ['Date: \xf0\x80\x80\x8ap-a:1'],
      ['hidden-field', 'overlong-utf8'],
    ],
    // P-6, P-7
    ['fail/open quote in To', ['To: "J <sip:a@b>'], ['open-quote']],
    ['fail/open quote in a Contact parameter', ['Contact: <sip:a@b>;x="y'], ['open-quote']],
    ['fail/open quote in a Via', ['Via: SIP/2.0/UDP h;x="y'], ['open-quote']],
    ['fail/escaped closing quote', ['From: "J\\" <sip:a@b>'], ['open-quote']],
    ['fail/bare URI with ? (RFC 8217)', ['Contact: sip:a@b?P-Asserted-Identity=x'], ['address-syntax']],
    ['fail/bare URI with ; in the user part', ['From: sip:+1;cpc=x@b.example'], ['address-syntax']],
    ['fail/bare URI with , in the user part', ['From: sip:a,b@b.example'], ['duplicate-single']],
    ['fail/no end of <', ['Refer-To: <sip:a@b'], ['address-syntax']],
    ['fail/two @', ['Refer-To: <sip:a@b?X=c@d>'], ['address-syntax']],
    ['fail/text behind >', ['Contact: <sip:a@b> x'], ['address-syntax']],
    ['fail/a display name like a URI', ['Contact: sip:a@b <sip:c@d>'], ['address-syntax']],
    // P-13
    ['fail/IPv6 without brackets in Contact', ['Contact: <sip:a@2001:db8::1>'], ['unbracketed-ipv6']],
    ['fail/IPv6 without brackets in Via', ['Via: SIP/2.0/UDP 2001:db8::9:1;branch=z9hG4bK1'], ['unbracketed-ipv6']],
    ['fail/IPv6 without end in Route', ['Route: <sip:[::1;lr>'], ['open-bracket', 'unbracketed-ipv6']],
    ['fail/a host that goes on in the body', ['m: "[x]" <sip:a@['], ['address-syntax', 'open-bracket']],
    ['fail/a host of Via that goes on in the body', ['v: SIP/2.0/UDP [::1'], ['open-bracket', 'unbracketed-ipv6']],
    ['fail/a comment of Via that goes on in the body', ['Via: SIP/2.0/UDP a.example (b) ('], ['open-bracket']],
    [
      'fail/IPv6 without brackets in the Request-URI',
      [],
      ['unbracketed-ipv6'],
      { startLine: 'BYE sip:2001:db8::10 SIP/2.0' },
    ],
    // folds
    ['fail/a fold that is a private field', ['Subject: a\r\n P-Asserted-Identity: x'], ['folded-field']],
    ['fail/and with blanks', ['Subject: a\r\n\t privacy \t: x'], ['folded-field']],
    ['fail/an X- field', ['Subject: a\r\n X-Attestation-Info: x'], ['folded-field']],
    ['fail/behind a no-break space', ['Subject: a\r\n \xc2\xa0Privacy: x'], ['folded-field']],
    ['fail/From', ['Subject: a\r\n f: x'], ['folded-field']],
    [
      'fail/a name of the caller',
      ['Subject: a\r\n Flow-Timer: x'],
      ['folded-field'],
      { privateKeys: new Set(['flow-timer']) },
    ],
    // start line
    ['fail/brackets around the Request-URI', [], ['request-uri'], { startLine: 'BYE <sip:a@b> SIP/2.0' }],
    ['fail/two spaces', [], ['start-line'], { startLine: 'BYE  sip:a@b SIP/2.0' }],
    ['fail/NUL', [], ['start-line'], { startLine: 'BYE sip:a\x00@b SIP/2.0' }],
    ['fail/CSeq of another method', ['CSeq: 1 BYE'], ['cseq-method'], { startLine: INVITE }],
    ['fail/CSeq of another method than the proxy says', ['CSeq: 1 BYE'], ['cseq-method'], { method: 'INVITE' }],
    ['fail/CSeq without method', ['CSeq: 1'], ['cseq']],
    ['fail/CSeq of two', ['CSeq: 1 BYE, 2 BYE'], ['cseq']],
    ['fail/start line with CRLF, block with LF', ['X: a\nY: b'], ['bare-lf']],
  ];
  it.each(fail.map(([name, rows, expected, context = {}]) => [name, rows, expected, context] as const))(
    '%s',
    (_case, rows, expected, context) => {
      expect(kinds(block(...rows), 'reject', context)).toEqual(expected);
    },
  );

  it('fail/start line with CRLF, header block with LF alone', () => {
    expect(kinds(scanText('Xyz: a\n\n'), 'reject', { startLineEnd: '\r\n' })).toEqual(['bare-lf']);
    expect(kinds(scanText('Xyz: a\n\n'), 'reject', { startLineEnd: '\n' })).toEqual([]);
  });
});

describe('notes', () => {
  const ok: readonly (readonly [string, readonly string[], readonly string[], AuditContext?])[] = [
    ['ok/escaped control byte in quotes (RFC 4475 §3.1.1.2)', ['To: "NUL:\\\x00" <sip:a@b>'], ['escaped-control']],
    ['ok/open quote in an identity: the row is dropped (P-7)', ['P-Asserted-Identity: "J <sip:a@b>'], ['open-quote']],
    ['ok/no URI in an identity', ['P-Asserted-Identity: Alice'], ['address-syntax']],
    ['ok/a legal name that proxies trip over', ['C%6Fntact: x', "x!*'`: y"], ['name-rare-chars']],
    ['ok/two Refer-To', ['Refer-To: <sip:a@b>', 'r: <sip:c@d>'], ['repeated-field']],
    ['ok/stray separators in Via', ['Via: SIP/2.0/UDP 192.0.2.15;;,;,,'], ['via-syntax']],
    [
      'ok/headers in the Request-URI',
      ['CSeq: 1 INVITE', 'v: SIP/2.0/UDP h', 'f: <sip:a@b>', 't: <sip:a@b>', 'i: 1'],
      ['request-uri-headers'],
      { startLine: 'INVITE sip:a@b?X=y SIP/2.0' },
    ],
    ['ok/Latin-1', ['Subject: \xe9t\xe9'], ['invalid-utf8']],
    ['ok/what is not private behind an ellipsis of Windows', ['Subject: so\x85 to: a\x85i: b'], ['invalid-utf8']],
    ['ok/a surrogate in UTF-8', ['Subject: \xed\xa0\x80'], ['invalid-utf8']],
    ['ok/UTF-8 cut off', ['Subject: a\xe2\x82'], ['invalid-utf8']],
    ['ok/missing fields', ['CSeq: 1 INVITE'], ['missing-field'], { startLine: INVITE }],
  ];
  it.each(ok.map(([name, rows, expected, context = {}]) => [name, rows, expected, context] as const))(
    '%s',
    (_case, rows, expected, context) => {
      expect(kinds(block(...rows), 'note', context)).toEqual(expected);
      expect(kinds(block(...rows), 'reject', context)).toEqual([]);
    },
  );
});

describe('sizes (T-75)', () => {
  const pai = (count: number): string =>
    `P-Asserted-Identity: ${Array.from({ length: count }, () => '<sip:a@b>').join(',')}`;
  const cases: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ['ok/as many rows as allowed', Array.from({ length: MAX_ROWS }, (_, i) => `X-${i}: y`), []],
    ['fail/200 rows', Array.from({ length: 200 }, (_, i) => `X-${i}: y`), ['too-many-rows']],
    ['ok/a row as long as allowed', [`Subject: ${'a'.repeat(MAX_ROW_BYTES - 9)}`], []],
    ['fail/a value of 64 KB', [`Subject: ${'a'.repeat(65_536)}`], ['block-too-long', 'row-too-long']],
    [
      'fail/a long block of short rows',
      Array.from({ length: 100 }, () => `Xyz: ${'a'.repeat(MAX_BLOCK_BYTES / 100)}`),
      ['block-too-long'],
    ],
    ['ok/as many values as allowed', [pai(MAX_VALUES)], []],
    ['fail/one more', [pai(MAX_VALUES + 1)], ['too-many-values']],
    ['fail/10,000 identities', [pai(10_000)], ['block-too-long', 'row-too-long', 'too-many-values']],
    [
      'fail/10,000 identities in rows',
      Array.from({ length: 10_000 }, () => pai(1)),
      ['block-too-long', 'too-many-rows', 'too-many-values'],
    ],
    ['fail/more values than allowed over rows', Array.from({ length: 11 }, () => pai(10)), ['too-many-values']],
  ];
  it.each(cases)('%s', (_case, rows, expected) => {
    expect(kinds(block(...rows), 'reject')).toEqual(expected);
  });

  // No clock: inputs at which a quadratic scanner would need minutes, so that the test's own time limit catches it.
  const deep: readonly (readonly [string, string])[] = [
    ['lines without colon', 'x\n'.repeat(500_000)],
    ['folds', `To: a${'\r\n b'.repeat(250_000)}`],
    ['folds before a colon', `To${'\r\n b'.repeat(250_000)}`],
    ['lone CR', 'a:\r'.repeat(300_000)],
    ['open brackets', `Contact: ${'<'.repeat(1_000_000)}`],
    ['open quotes', `To: ${'"'.repeat(1_000_001)}`],
    ['backslashes', `To: "${'\\'.repeat(1_000_000)}`],
    ['commas', `Route: ${','.repeat(1_000_000)}`],
    ['semicolons', `To: <sip:a@b>${';'.repeat(1_000_000)}`],
    ['parameters in a URI', `To: <sip:a@b${';a=b'.repeat(250_000)}>`],
    ['parameters in a user part', `To: <sip:a${'%3ba=b'.repeat(150_000)}@b>`],
    ['at signs', `To: <sip:${'@'.repeat(1_000_000)}>`],
    ['embedded fields', `To: <sip:a@b?${'&a=b'.repeat(250_000)}>`],
    ['blanks', `To: ${' '.repeat(1_000_000)}x`],
    ['blanks before the colon', `To${' '.repeat(1_000_000)}: x`],
    ['Via slashes', `Via: ${'/'.repeat(1_000_000)}`],
    ['Privacy', `Privacy: ${';'.repeat(1_000_000)}`],
  ];
  it.each(deep)('ok/linear: %s', (_case, text) => {
    expect(() => auditHeaderBlock(scanText(text))).not.toThrow();
  });
});

describe('properties', () => {
  it('ok/auditing never throws on any bytes', () => {
    const lines = fc.constantFrom(
      'To: ',
      'Via: ',
      'CSeq: ',
      'P-Asserted-Identity: ',
      'Contact: <sip:',
      '\r\n',
      '"',
      '<',
      '>',
      '[',
      ',',
    );
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.array(fc.oneof(lines, fc.string()), { maxLength: 30 }).map((parts) => toBytes(parts.join(''))),
    );
    fc.assert(
      fc.property(bytes, fc.string(), (input, startLine) => {
        auditHeaderBlock(scanHeaderBlock(input), { startLine });
      }),
      { numRuns: 500 },
    );
  });

  it('fail/a second From in any spelling is always found (P-12)', () => {
    const spelling = fc.constantFrom(
      'From',
      'FROM',
      'f',
      'F',
      'from ',
      'f\t',
      'From \t',
      'From\x00',
      'From\xa0',
      'F\xc2\xa0',
      'From\r\n ',
    );
    const filler = fc.array(fc.constantFrom('X-A: b', 'Route: <sip:a;lr>', 'Subject: a\r\n b'), { maxLength: 5 });
    fc.assert(
      fc.property(spelling, spelling, filler, (one, two, between) => {
        const found = kinds(block(`${one}: <sip:a@b>`, ...between, `${two}: <sip:c@d>`), 'reject');
        expect(found).toContain('duplicate-single');
      }),
    );
  });
});
