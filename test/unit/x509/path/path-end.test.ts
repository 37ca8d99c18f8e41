/** What an operator is told of the common mistakes: the reason, and what was compared. */

import { describe, expect, it } from 'vitest';
import { ca, crl, DAY, ext, leaf, NOW, root } from '../../../support/certificates.js';
import { answerCase, type RecordCase } from '../../../support/records.js';

const anchor = root({ subject: 'O=Operator B,CN=Root' });
const sub = ca(anchor, { subject: 'O=Operator B,CN=Sub' });
const sbc = leaf(sub, { subject: 'CN=sbc1.b.example' });
const again = (spec: Parameters<typeof ca>[1]) => ca(anchor, { subject: sub.subject, key: sub.key, ...spec });
const chain = (asked: Partial<RecordCase>): RecordCase => ({ leaf: sbc, via: [sub], anchors: [anchor], ...asked });

const rows: readonly (readonly [name: string, reason: string, detail: RegExp, asked: RecordCase])[] = [
  [
    'fail/the intermediate is missing',
    'untrusted-chain',
    /^untrusted-chain: CN=sbc1\.b\.example: .*\(CN=Root,O=Operator B\), found none: no certificate of CN=Sub,O=Operator B is at hand$/,
    chain({ via: [] }),
  ],
  [
    'fail/the intermediate is expired, its successor missing',
    'cert-time',
    /^cert-time: CN=Sub,O=Operator B: expected a time from .* to 2026-05-31T00:00:00\.000Z, found 2026-06-01/,
    chain({ via: [again({ notAfter: NOW - DAY })] }),
  ],
  [
    'fail/another root of the same name',
    'bad-signature',
    /^bad-signature: CN=Sub,O=Operator B: .* with the key of CN=Root,O=Operator B; it names the key [0-9a-f]{40} of its issuer, the one at hand has [0-9a-f]{40}/,
    chain({ anchors: [root({ subject: 'O=Operator B,CN=Root' })] }),
  ],
  [
    'fail/the root came along, but is no anchor',
    'untrusted-chain',
    /found none: CN=Root,O=Operator B is no anchor$/,
    chain({ via: [sub, anchor], anchors: [root({ subject: 'CN=Operator C' })] }),
  ],
  [
    'fail/the certificate lost clientAuth',
    'eku',
    /serverAuth.*needs clientAuth/,
    chain({ leaf: leaf(sub, { extensions: { purposes: ext.purposes(['serverAuth']) } }), purpose: 'client' }),
  ],
  [
    'fail/the CA lost clientAuth',
    'eku',
    /^eku: CN=Sub,O=Operator B: expected a CA for clientAuth, found extendedKeyUsage serverAuth; .* eku: any-role/,
    chain({ via: [again({ extensions: { purposes: ext.purposes(['serverAuth']) } })], purpose: 'client' }),
  ],
  [
    'fail/a list has run out',
    'rev-unknown',
    /crl-scope: CRL of CN=Sub,O=Operator B: expected nextUpdate after 2026-06-01.*, found 2026-05-31/,
    chain({ crls: [crl(anchor), crl(sub, { thisUpdate: NOW - 2 * DAY, nextUpdate: NOW - DAY })] }),
  ],
  [
    'fail/another name',
    'name-mismatch',
    /expected subjectAltName dns:b\.example, found dns:peer\.example/,
    chain({ names: [{ dns: 'b.example' }] }),
  ],
  [
    'fail/an intermediate that cannot be read',
    'malformed-cert',
    /intermediates\[0\]: /,
    chain({ via: [{ pem: sub.pem.replace('MII', 'MIJ') }] }),
  ],
];

describe('what is told', () => {
  it.each(rows)('%s', (_name, reason, detail, asked) => {
    const answer = answerCase(asked);
    expect(answer).toMatchObject({ ok: false, reason });
    expect(answer.detail).toMatch(detail);
  });
});
