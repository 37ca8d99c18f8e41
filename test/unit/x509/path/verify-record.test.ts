import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REASONS } from '../../../../src/reasons.js';
import { verifyRecord } from '../../../../src/x509/path/verify-record.js';
import { ca, crl, DAY, ext, leaf, NOW, root } from '../../../support/certificates.js';

const anchor = root({ subject: 'CN=root' });
const sub = ca(anchor, { subject: 'CN=sub' });
const end = leaf(sub, { subject: 'CN=end' });

const record = (fields: Record<string, unknown> = {}) => ({
  leaf: end.pem,
  intermediates: [sub.pem],
  anchors: [anchor.pem],
  crls: [],
  at: '2026-06-01T00:00:00Z',
  purpose: 'server',
  names: [],
  ...fields,
});

const rows: readonly (readonly [name: string, reason: string, record: unknown])[] = [
  ['a path that holds', '', record()],
  ['a name that is there', '', record({ names: [{ dns: 'peer.example' }] })],
  ['a name that is not', 'name-mismatch', record({ names: [{ dns: 'peer.example' }, { ip: '192.0.2.1' }] })],
  ['the chain beside the leaf', '', record({ leaf: end.pem + sub.pem, intermediates: [] })],
  ['several certificates in one text', '', record({ intermediates: [anchor.pem + sub.pem] })],
  ['no intermediate', 'untrusted-chain', record({ intermediates: [] })],
  ['no anchors', 'untrusted-chain', record({ anchors: undefined })],
  ['lists are not named', '', { ...record(), intermediates: [sub.pem], crls: undefined, names: null }],
  ['an offset in the time', '', record({ at: '2026-06-01T02:00:00.5+02:00' })],
  ['a time after the leaf', 'cert-time', record({ at: '2036-06-01T00:00:00Z' })],
  ['a depth that suffices', '', record({ max_depth: 1 })],
  ['a depth as text', '', record({ max_depth: '1' })],
  ['a depth that does not', 'path-length', record({ max_depth: 0 })],
  ['lists for all', '', record({ crls: [crl(sub).pem, crl(anchor).pem] })],
  ['a list that revokes', 'revoked', record({ crls: [crl(sub, { revoked: [end] }).pem, crl(anchor).pem] })],
  ['lists default to hard', 'rev-unknown', record({ crls: [crl(sub).pem] })],
  ['lists, soft', '', record({ crls: [crl(sub).pem], revocation: 'soft' })],
  ['no lists, hard', 'rev-unknown', record({ revocation: 'hard' })],
  [
    'a list that cannot be read counts as given',
    'rev-unknown',
    record({ crls: ['-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----'] }),
  ],
  ['a list that cannot be read, off', '', record({ crls: ['nonsense'], revocation: 'off' })],
  [
    'a leaf that cannot be read',
    'malformed-cert',
    record({ leaf: '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----' }),
  ],
  ['a leaf with an extension twice', 'bad-extension', record({ leaf: leaf(sub, { add: [ext.altNames([])] }).pem })],
  ['a stranger that cannot be read', '', record({ intermediates: [sub.pem, 'nonsense'] })],
  ['the only anchor cannot be read', 'malformed-cert', record({ anchors: ['nonsense'] })],
  [
    'a strict check: no authorityKeyIdentifier',
    'bad-extension',
    record({ leaf: leaf(sub, { extensions: { authorityKey: undefined } }).pem }),
  ],
  ['no record', 'bad-input', null],
  ['a number', 'bad-input', 5],
  ['an array', 'bad-input', []],
  ['no leaf', 'bad-input', record({ leaf: undefined })],
  ['no time', 'bad-input', record({ at: undefined })],
  ['a time that is none', 'bad-input', record({ at: '2026-02-30T00:00:00Z' })],
  ['a time without zone', 'bad-input', record({ at: '2026-06-01T00:00:00' })],
  ['a date', 'bad-input', record({ at: '2026-06-01' })],
  ['hour 25', 'bad-input', record({ at: '2026-06-01T25:00:00Z' })],
  ['no purpose', 'bad-input', record({ purpose: undefined })],
  ['another purpose', 'bad-input', record({ purpose: 'email' })],
  ['another revocation', 'bad-input', record({ revocation: 'maybe' })],
  ['a negative depth', 'bad-input', record({ max_depth: -1 })],
  ['anchors that are no array', 'bad-input', record({ anchors: anchor.pem })],
  ['an anchor that is no text', 'bad-input', record({ anchors: [5] })],
  ['a name of no kind', 'bad-input', record({ names: [{ srv: 'x' }] })],
  ['a name of two kinds', 'bad-input', record({ names: [{ dns: 'x', ip: 'y' }] })],
  ['a name that is text', 'bad-input', record({ names: ['x'] })],
];

const many = (count: number, text: string) => Array.from({ length: count }, () => text);

/** What is refused names the field, what was expected, what was found. */
const refused: readonly (readonly [name: string, record: unknown, detail: string])[] = [
  ['no time', record({ at: undefined }), 'at: expected a time of RFC 3339 as in 2026-11-28T12:00:00Z'],
  ['no time', record({ at: undefined }), 'found nothing'],
  ['a leap second', record({ at: '2026-12-31T23:59:60Z' }), 'seconds from 00 to 59, found "2026-12-31T23:59:60Z"'],
  ['no leaf', record({ leaf: undefined }), 'leaf: expected PEM as a string, found nothing'],
  ['too many certificates', record({ anchors: many(3_001, anchor.pem) }), 'certificates: expected at most 3000'],
  ['too many in one text', record({ anchors: [anchor.pem.repeat(2_990), anchor.pem.repeat(20)] }), 'at most 3000'],
  [
    'too much text',
    record({ anchors: ['A'.repeat(8 * 2 ** 20)] }),
    'certificates: expected at most 8388608 characters',
  ],
  ['too many lists', record({ crls: many(1_001, '') }), 'crls: expected at most 1000 lists, found 1001'],
  [
    'too many names',
    record({ names: Array.from({ length: 101 }, () => ({ dns: 'a' })) }),
    'names: expected at most 100',
  ],
  ['a long name', record({ names: [{ dns: 'a'.repeat(1_025) }] }), 'names[0]: expected at most 1024 characters'],
];

describe('verifyRecord', () => {
  it.each(refused)('fail/%s, and says so', (_, asked, detail) => {
    const answer = verifyRecord(asked);
    expect(answer).toMatchObject({ ok: false, reason: 'bad-input' });
    expect(answer.detail).toContain(detail);
  });

  it.each(rows.map((row) => [row[1] === '' ? 'ok' : 'fail', ...row] as const))('%s/%s', (_, __, reason, asked) => {
    const answer = verifyRecord(asked);
    expect(answer, answer.detail).toMatchObject({ ok: reason === '', reason });
  });

  it('ok/tells the path that holds', () => {
    expect(verifyRecord(record()).detail).toBe('CN=end <- CN=sub <- CN=root');
  });

  it('fail/tells all that failed, the most telling first', () => {
    const expired = leaf(sub, { subject: 'CN=old', notAfter: NOW - DAY });
    const { detail } = verifyRecord(record({ leaf: expired.pem, names: [{ dns: 'b.example' }] }));
    expect(detail).toMatch(/^cert-time: CN=old: expected a time from .*; name-mismatch: CN=old: /);
  });

  it('ok/has an answer for any JSON', () => {
    const known = new Set<string>(['', ...REASONS.map(({ code }) => code)]);
    const fields = ['leaf', 'intermediates', 'anchors', 'crls', 'at', 'purpose', 'names', 'max_depth', 'revocation'];
    const anyRecord = fc.oneof(
      fc.jsonValue(),
      fc.dictionary(fc.constantFrom(...fields), fc.jsonValue()).map((changed) => record(changed)),
    );
    fc.assert(
      fc.property(anyRecord, (asked) => {
        const answer = verifyRecord(asked);
        expect(known.has(answer.reason)).toBe(true);
        expect(answer.ok).toBe(answer.reason === '');
      }),
    );
  });
});
